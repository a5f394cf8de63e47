#include "store/store.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <system_error>
#include <utility>

#include "model/json_object.h"
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

Result<std::string> Store::set_aside(const std::string& path) {
  const std::string moved =
      fmt::format("{}.damaged-{:%Y%m%d-%H%M%S}-{}", path, fmt::gmtime(std::time(nullptr)), ::getpid());
  for (const std::string_view part : {"", "-wal", "-shm"}) {
    std::error_code failed;
    const std::string from = path + std::string(part);
    if (!std::filesystem::exists(from, failed)) continue;
    std::filesystem::rename(from, moved + std::string(part), failed);
    if (failed) {
      return Error{ErrorCode::kStoreIo,
                   fmt::format("{} cannot be set aside as {}: {}", from, moved, failed.message()), ""};
    }
  }
  return moved;
}

// --- restore --------------------------------------------------------------------------------------------

Status Store::restore(Hub& hub) {
  const std::lock_guard lock(mutex_);
  auto images = read_images();
  if (!images) return images.error();
  auto rings = read_rings();
  if (!rings) return rings.error();
  for (StoredTopic& image : *images) {
    const std::string topic = image.topic;
    if (const Status back = hub.restore(std::move(image)); !back) {
      return damaged(topic, back.error().message);
    }
  }
  for (auto& [topic, events] : *rings) hub.restore_ring(topic, std::move(events));
  return ok_status();
}

Error Store::damaged(std::string_view topic, std::string_view what) const {
  return database_.error(
      ErrorCode::kStoreDamaged,
      fmt::format("is damaged (the row of topic \"{}\": {}); put a copy in its place, move it away to start "
                  "empty, or set store.on_damage = \"start-empty\"",
                  topic, what));
}

Result<std::vector<StoredTopic>> Store::read_images() {
  Result<Statement> rows = database_.prepare("SELECT topic, seq, ts, status, image, delivery FROM image");
  if (!rows) return rows.error();
  std::vector<StoredTopic> images;
  std::vector<JsonField> fields;
  int code = SQLITE_DONE;
  while ((code = rows->step()) == SQLITE_ROW) {
    const std::string_view topic = rows->text(0);
    const auto status = parse_topic_status(rows->text(3));
    if (!status) return damaged(topic, fmt::format("unknown status {}", rows->text(3)));
    const auto declared = parse_delivery(rows->text(5));
    if (!declared && !rows->text(5).empty()) {
      return damaged(topic, fmt::format("unknown delivery {}", rows->text(5)));
    }
    if (const Status named = check_topic(topic); !named) return damaged(topic, named.error().message);
    if (const Status whole = scan_object(rows->text(4), fields); !whole) {
      return damaged(topic, whole.error().message);
    }
    images.push_back({std::string(topic), static_cast<std::uint64_t>(rows->integer(1)), rows->integer(2),
                      *status, std::string(rows->text(4)), declared});
  }
  if (code != SQLITE_DONE) return database_.error(code);
  return images;
}

Result<Store::Rings> Store::read_rings() {
  Result<Statement> rows = database_.prepare("SELECT topic, seq, ts, data FROM event ORDER BY topic, seq");
  if (!rows) return rows.error();
  Rings rings;
  std::vector<JsonField> fields;
  int code = SQLITE_DONE;
  while ((code = rows->step()) == SQLITE_ROW) {
    const std::string topic(rows->text(0));
    if (const Status whole = scan_object(rows->text(3), fields); !whole) {
      return damaged(topic, whole.error().message);
    }
    rings[topic].push_back(
        {static_cast<std::uint64_t>(rows->integer(1)), rows->integer(2), std::string(rows->text(3))});
  }
  if (code != SQLITE_DONE) return database_.error(code);
  return rings;
}

// --- flush ----------------------------------------------------------------------------------------------

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
  while (!batch_.empty()) {
    const std::size_t count = std::min(batch_.size(), kTopicsPerTransactionMax);
    const Status written = write_rows(std::span(batch_).last(count));
    note(written, count);
    if (!written) return written;
    batch_.resize(batch_.size() - count);
  }
  return ok_status();
}

Status Store::write_rows(std::span<const Dirty> topics) {
  Result<Statement> image = database_.prepare(
      "INSERT INTO image VALUES(?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT(topic) DO UPDATE SET"
      " seq=excluded.seq, ts=excluded.ts, status=excluded.status, image=excluded.image, "
      "delivery=excluded.delivery");
  if (!image) return image.error();
  Result<Statement> event = database_.prepare("INSERT OR REPLACE INTO event VALUES(?1, ?2, ?3, ?4)");
  if (!event) return event.error();
  Result<Statement> forget = database_.prepare("DELETE FROM event WHERE topic=?1 AND seq<?2");
  if (!forget) return forget.error();
  const auto run = [](Statement& statement, auto... values) {
    int parameter = 0;
    (statement.bind(++parameter, values), ...);
    const int code = statement.step();
    statement.reset();
    return code == SQLITE_DONE ? SQLITE_OK : code;
  };
  const auto write = [&](const Dirty& topic) {
    const Update& last = *topic.last;
    const std::string_view name = last.topic().name;
    int code = run(*image, name, static_cast<std::int64_t>(last.seq()), last.ts(), name_of(last.status()),
                   last.image(), topic.declared ? name_of(*topic.declared) : std::string_view(""));
    for (std::size_t i = 0; code == SQLITE_OK && i < topic.events.size(); ++i) {
      const Update& kept = *topic.events[i];
      code = run(*event, name, static_cast<std::int64_t>(kept.seq()), kept.ts(), kept.data());
    }
    if (code == SQLITE_OK && topic.first_kept > 1) {
      code = run(*forget, name, static_cast<std::int64_t>(topic.first_kept));
    }
    return code;
  };
  if (Status begun = database_.exec("BEGIN"); !begun) return begun;
  for (const Dirty& topic : topics) {
    if (const int code = write(topic); code != SQLITE_OK) {
      Error failure = database_.error(code);
      database_.rollback();
      return failure;
    }
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

void Store::note(const Status& written, std::size_t rows) {
  const bool failed = !written.ok();
  if (failed) {
    ++failures_;
  } else {
    ++flushes_;
    rows_ += rows;
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
