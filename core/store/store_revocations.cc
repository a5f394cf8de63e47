// What the store keeps of Revocations: a row for each subject.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "store/store.h"

namespace tickwire {

Status Store::keep_revocations(Revocations& revocations, const Clock& clock) {
  const MutexLock lock(mutex_);
  revocations_ = &revocations;
  clock_ = &clock;
  Result<Statement> rows = file_.database().prepare("SELECT subject, at FROM revocation");
  if (!rows) return rows.error();
  const std::int64_t now_ms = clock.wall_ms();
  const std::int64_t forgotten_ms = revocations.forgotten_until_ms(now_ms);
  int code = SQLITE_DONE;
  while ((code = rows->step()) == SQLITE_ROW) {
    const Revocation kept{std::string(rows->text(0)), rows->integer(1)};
    if (kept.at_ms <= forgotten_ms) continue;
    if (Status restored = revocations.restore(kept, now_ms); !restored) return restored;
  }
  if (code != SQLITE_DONE) return file_.database().error(code);
  return ok_status();
}

// Durably, since whoever revokes is told that a restart does not forget it.
Status Store::write_revocations() {
  if (revocations_ == nullptr) return ok_status();
  std::ranges::move(revocations_->take_new(), std::back_inserter(revoked_));
  if (revoked_.empty()) return ok_status();
  Database& database = file_.database();
  const auto write = [this, &database]() REQUIRES(mutex_) -> Status {
    Result<Statement> add = database.prepare(
        "INSERT INTO revocation VALUES(?1, ?2) ON CONFLICT(subject) DO UPDATE SET at=max(at, excluded.at)");
    if (!add) return add.error();
    for (const Revocation& revocation : revoked_) {
      add->bind(1, std::string_view(revocation.subject));
      add->bind(2, revocation.at_ms);
      const int code = add->step();
      add->reset();
      if (code != SQLITE_DONE) return database.error(code);
    }
    return ok_status();
  };
  Status written =
      database.exec(fmt::format("PRAGMA synchronous=FULL; BEGIN; DELETE FROM revocation WHERE at<={}",
                                revocations_->forgotten_until_ms(clock_->wall_ms())));
  if (written) written = write();
  if (written) written = database.exec("COMMIT");
  if (!written) database.rollback();
  if (written) revoked_.clear();
  if (Status back = database.exec("PRAGMA synchronous=NORMAL"); written && !back) written = back;
  note(written, 0);
  return written;
}

}  // namespace tickwire
