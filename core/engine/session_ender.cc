#include "engine/session_ender.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <memory>
#include <string_view>
#include <utility>

#include "engine/audit_log.h"
#include "protocol/encode.h"

namespace tickwire {

struct SessionEnder::Case {
  SessionTarget target;
  SessionEnd how = SessionEnd::kRevoked;
  AdminActor by;
  std::int64_t at_ms = 0;
  AdminDone done;
  std::atomic<std::size_t> ended = 0;  // sessions
};

namespace {

// `subject="mia"`, with the separator of a JSON object or of a line of the log.
std::string name_in(const SessionTarget& target, std::string_view form) {
  const bool by_subject = target.session.empty();
  return fmt::format(fmt::runtime(form), by_subject ? "subject" : "session",
                     quote_json(by_subject ? target.subject : target.session));
}

std::string_view name_of(SessionEnd how) {
  return how == SessionEnd::kRevoked ? "revoke" : "disconnect";
}

bool refuses_tokens(const SessionTarget& target, SessionEnd how) {
  return how == SessionEnd::kRevoked && target.session.empty();
}

}  // namespace

void SessionEnder::end(const SessionTarget& target, SessionEnd how, const AdminActor& by,
                       const Shards& shards, AdminDone done) {
  const std::int64_t now_ms = parts_.clock.wall_ms();
  Status taken = check_target(target);
  if (taken && refuses_tokens(target, how)) {
    taken = parts_.revocations.add({target.subject, now_ms}, now_ms);
  }
  if (!taken) {
    audit(by, fmt::format("{} refused={}", name_of(how), quote_json(taken.error().message)));
    return done(taken.error());
  }
  auto ending = std::make_shared<Case>();
  ending->target = target;
  ending->how = how;
  ending->by = by;
  ending->at_ms = now_ms;
  ending->done = std::move(done);
  // Whoever lets go of it last has the rest done.
  const std::shared_ptr<Case> all(ending.get(), [this, ending](Case*) {
    parts_.offload.run(Offload::kNobody, [this, ending] { finish(*ending); });
  });
  const auto post = [&target, how](Shard* shard, const std::shared_ptr<Case>& holder) {
    shard->post(
        [shard, target, how, ended = std::shared_ptr<std::atomic<std::size_t>>(holder, &holder->ended)] {
          shard->end_sessions(target, how, ended);
        });
  };
  for (Shard* const shard : shards.standing) {
    spdlog::warn("a loop stands still; those of its sessions that an admin ends end when it turns");
    post(shard, ending);
  }
  for (Shard* const shard : shards.turning) post(shard, all);
}

void SessionEnder::finish(const Case& ending) const {
  const std::size_t ended = ending.ended;
  std::string line =
      fmt::format("{} {} sessions={}", name_of(ending.how), name_in(ending.target, "{}={}"), ended);
  std::string json = fmt::format(R"({{{},"sessions":{})", name_in(ending.target, R"("{}":{})"), ended);
  if (refuses_tokens(ending.target, ending.how)) {
    const Status written = parts_.store == nullptr
                               ? Status(Error{ErrorCode::kStoreIo,
                                              "there is no store (store.path), so a restart forgets it", ""})
                               : parts_.store->flush();
    const std::string_view kept_in = written ? "store" : "memory";
    const std::int64_t until_ms = parts_.revocations.until_ms(ending.at_ms);
    line += fmt::format(" until={} kept_in={}", until_ms, kept_in);
    json += fmt::format(R"(,"until":{},"kept_in":"{}")", until_ms, kept_in);
    if (!written) {
      spdlog::warn("a revocation is kept in memory alone: {}", written.error().message);
    }
  }
  audit(ending.by, line);
  ending.done(json + "}");
}

}  // namespace tickwire
