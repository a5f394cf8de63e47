#include "store/store.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <cassert>
#include <chrono>
#include <utility>

#include "store/epoch.h"
#include "store/schema.h"

namespace tickwire {
namespace {

// The epoch that may go on, or empty.
Result<std::string> clean_epoch(Database& database) {
  Result<Statement> rows = database.prepare(
      "SELECT value FROM meta WHERE key='epoch' AND EXISTS(SELECT 1 FROM meta WHERE key='clean' AND "
      "value='1')");
  if (!rows) return rows.error();
  const int code = rows->step();
  if (code == SQLITE_DONE) return std::string();
  if (code != SQLITE_ROW) return database.error(code);
  return std::string(rows->text(0));
}

}  // namespace

std::string_view name_of(StoreState state) {
  constexpr std::array<std::string_view, 3> kNames{"ok", "degraded", "off"};
  return kNames.at(static_cast<std::size_t>(state));
}

Result<std::unique_ptr<Store>> Store::open(const std::string& path) {
  Result<Database> database = Database::open(path);
  if (!database) return database.error();
  if (Status ready = prepare_schema(*database); !ready) return ready.error();
  Result<std::string> epoch = clean_epoch(*database);
  if (!epoch) return epoch.error();
  return std::unique_ptr<Store>(new Store(std::move(*database), epoch->empty() ? new_epoch() : *epoch));
}

Store::Store(Database database, std::string epoch)
    : epoch_(std::move(epoch)), database_(std::move(database)) {}

Store::~Store() {
  stop();
}

Status Store::restore(Hub& hub) {
  const std::lock_guard lock(mutex_);
  Result<Statement> rows = database_.prepare("SELECT topic, seq, ts, status, image FROM image");
  if (!rows) return rows.error();
  int code = SQLITE_DONE;
  while ((code = rows->step()) == SQLITE_ROW) {
    const std::string_view topic = rows->text(0);
    const auto status = parse_topic_status(rows->text(3));
    const Status restored =
        status ? hub.restore(topic, static_cast<std::uint64_t>(rows->integer(1)), rows->integer(2), *status,
                             std::string(rows->text(4)))
               : Error{ErrorCode::kStoreDamaged, fmt::format("unknown status {}", rows->text(3)), {}};
    if (!restored) {
      return database_.error(
          ErrorCode::kStoreDamaged,
          fmt::format("is damaged (the row of topic \"{}\": {}); put a copy in its place, or "
                      "move it away to start empty",
                      topic, restored.error().message));
    }
  }
  if (code != SQLITE_DONE) return database_.error(code);
  return ok_status();
}

Status Store::start(Hub& hub, int flush_ms) {
  const std::lock_guard lock(mutex_);
  assert(hub_ == nullptr);
  if (Status marked = mark_clean(false); !marked) return marked;
  hub_ = &hub;
  thread_ = std::jthread([this, flush_ms](const std::stop_token& stopping) { run(stopping, flush_ms); });
  return ok_status();
}

void Store::stop() {
  if (thread_.joinable()) {
    thread_.request_stop();
    thread_.join();
    Status ended = flush();
    const std::lock_guard lock(mutex_);
    if (ended) ended = mark_clean(true);
    if (!ended) spdlog::error("store: the last images could not be written: {}", ended.error().message);
    hub_ = nullptr;
  }
  const std::lock_guard lock(mutex_);
  database_.close();
}

void Store::run(const std::stop_token& stopping, int flush_ms) {
  std::unique_lock lock(sleep_mutex_);
  while (!stopping.stop_requested()) {
    sleep_.wait_for(lock, stopping, std::chrono::milliseconds(flush_ms), [] { return false; });
    std::ignore = flush();
  }
}

Status Store::flush() {
  const std::lock_guard lock(mutex_);
  if (hub_ == nullptr) return ok_status();
  if (Status late = write_batch(); !late) return late;
  batch_ = hub_->take_dirty();
  return write_batch();
}

Status Store::write_batch() {
  if (batch_.empty()) return ok_status();
  Status written = write_rows();
  note(written);
  if (written) batch_.clear();
  return written;
}

Status Store::write_rows() {
  Result<Statement> upsert = database_.prepare(
      "INSERT INTO image VALUES(?1, ?2, ?3, ?4, ?5) ON CONFLICT(topic) DO UPDATE SET"
      " seq=excluded.seq, ts=excluded.ts, status=excluded.status, image=excluded.image");
  if (!upsert) return upsert.error();
  if (Status begun = database_.exec("BEGIN"); !begun) return begun;
  for (const UpdatePtr& update : batch_) {
    upsert->bind(1, update->topic().name);
    upsert->bind(2, static_cast<std::int64_t>(update->seq()));
    upsert->bind(3, update->ts());
    upsert->bind(4, name_of(update->status()));
    upsert->bind(5, update->image());
    if (const int code = upsert->step(); code != SQLITE_DONE) {
      Error failure = database_.error(code);
      upsert->reset();
      database_.rollback();
      return failure;
    }
    upsert->reset();
  }
  Status committed = database_.exec("COMMIT");
  if (!committed) database_.rollback();
  return committed;
}

Status Store::mark_clean(bool clean) {
  // These marks must be on the disk before anything that relies on them; images may lag, the marks tell.
  return database_.exec(
      fmt::format("PRAGMA synchronous=FULL; REPLACE INTO meta VALUES('epoch','{}'),('clean','{}');"
                  "PRAGMA synchronous=NORMAL",
                  epoch_, clean ? 1 : 0));
}

void Store::note(const Status& written) {
  const bool failed = !written.ok();
  if (failed) {
    ++failures_;
  } else {
    ++flushes_;
    rows_ += batch_.size();
  }
  if (degraded_.exchange(failed) == failed) return;
  if (failed) {
    spdlog::error("store: degraded, live data goes on: {}; trying again until it works",
                  written.error().message);
  } else {
    spdlog::info("store: works again");
  }
}

StoreStats Store::stats() const {
  return {degraded_ ? StoreState::kDegraded : StoreState::kOk, flushes_, rows_, failures_};
}

}  // namespace tickwire
