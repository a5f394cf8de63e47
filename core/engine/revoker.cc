#include "engine/revoker.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <memory>
#include <string_view>
#include <utility>

#include "engine/audit_log.h"
#include "protocol/encode.h"

namespace tickwire {

struct Revoker::Case {
  RevokeTarget target;
  AdminActor by;
  std::int64_t at_ms = 0;
  RevokeDone done;
  std::atomic<std::size_t> ended = 0;  // sessions
};

namespace {

// `subject="mia"`, with the separator of a JSON object or of a line of the log.
std::string name_in(const RevokeTarget& target, std::string_view form) {
  const bool by_subject = target.session.empty();
  return fmt::format(fmt::runtime(form), by_subject ? "subject" : "session",
                     quote_json(by_subject ? target.subject : target.session));
}

}  // namespace

void Revoker::revoke(const RevokeTarget& target, const AdminActor& by, const std::vector<Shard*>& turning,
                     const std::vector<Shard*>& standing, RevokeDone done) {
  const std::int64_t now_ms = parts_.clock.wall_ms();
  Status taken = check_target(target);
  if (taken && target.session.empty()) taken = parts_.revocations.add({target.subject, now_ms}, now_ms);
  if (!taken) {
    audit(by, fmt::format("revoke refused={}", quote_json(taken.error().message)));
    return done(taken.error());
  }
  auto revoked = std::make_shared<Case>();
  revoked->target = target;
  revoked->by = by;
  revoked->at_ms = now_ms;
  revoked->done = std::move(done);
  // Whoever lets go of it last has the rest done.
  const std::shared_ptr<Case> all(revoked.get(), [this, revoked](Case*) {
    parts_.offload.run(Offload::kNobody, [this, revoked] { finish(*revoked); });
  });
  for (Shard* const shard : standing) {
    spdlog::warn("a loop stands still; its sessions that were revoked end when it turns");
    shard->post([shard, target, ended = std::shared_ptr<std::atomic<std::size_t>>(revoked, &revoked->ended)] {
      shard->revoke(target, ended);
    });
  }
  for (Shard* const shard : turning) {
    shard->post([shard, target, ended = std::shared_ptr<std::atomic<std::size_t>>(all, &all->ended)] {
      shard->revoke(target, ended);
    });
  }
}

void Revoker::finish(const Case& revoked) const {
  const std::size_t ended = revoked.ended;
  std::string line = fmt::format("revoke {} sessions={}", name_in(revoked.target, "{}={}"), ended);
  std::string json = fmt::format(R"({{{},"sessions":{})", name_in(revoked.target, R"("{}":{})"), ended);
  if (revoked.target.session.empty()) {
    const Status written = parts_.store == nullptr
                               ? Status(Error{ErrorCode::kStoreIo,
                                              "there is no store (store.path), so a restart forgets it", ""})
                               : parts_.store->flush();
    const std::string_view kept_in = written ? "store" : "memory";
    const std::int64_t until_ms = parts_.revocations.until_ms(revoked.at_ms);
    line += fmt::format(" until={} kept_in={}", until_ms, kept_in);
    json += fmt::format(R"(,"until":{},"kept_in":"{}")", until_ms, kept_in);
    if (!written) {
      spdlog::warn("a revocation is kept in memory alone: {}", written.error().message);
    }
  }
  audit(revoked.by, line);
  revoked.done(json + "}");
}

}  // namespace tickwire
