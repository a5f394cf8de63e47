#include "store/store.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cassert>
#include <chrono>
#include <utility>

#include <nlohmann/json.hpp>
#include "base/fault.h"
#include "model/json_object.h"
#include "store/backup_request.h"
#include "store/epoch.h"
#include "store/store_copy.h"

namespace tickwire {
namespace {

// A text of a damaged file, which may hold any bytes, as a log and a terminal can take it.
std::string quoted(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

// The epoch that may go on, or empty; what new_epoch did not make is none.
Result<std::string> clean_epoch(Database& database) {
  Result<Statement> rows = database.prepare(
      "SELECT value FROM meta WHERE key='epoch' AND EXISTS(SELECT 1 FROM meta WHERE key='clean' AND "
      "value='1')");
  if (!rows) return rows.error();
  const int code = rows->step();
  if (code == SQLITE_DONE) return std::string();
  if (code != SQLITE_ROW) return database.error(code);
  const std::string_view epoch = rows->text(0);
  const bool is_one =
      epoch.size() == 16 && epoch.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  return std::string(is_one ? epoch : std::string_view());
}

}  // namespace

std::string_view name_of(StoreState state) {
  constexpr std::array<std::string_view, 3> kNames{"ok", "degraded", "off"};
  return kNames.at(static_cast<std::size_t>(state));
}

Result<std::unique_ptr<Store>> Store::open(const std::string& path) {
  Result<StoreFile> file = StoreFile::open(path);
  if (!file) return file.error();
  Result<std::string> epoch = clean_epoch(file->database());
  if (!epoch) return epoch.error();
  return std::unique_ptr<Store>(new Store(std::move(*file), epoch->empty() ? new_epoch() : *epoch));
}

Store::Store(StoreFile file, std::string epoch) : epoch_(std::move(epoch)), file_(std::move(file)) {}

Store::~Store() {
  stop();
}

// --- restore --------------------------------------------------------------------------------------------

Status Store::restore(Hub& hub) {
  const MutexLock lock(mutex_);
  auto images = read_images();
  if (!images) return images.error();
  auto rings = read_rings();
  if (!rings) return rings.error();
  for (StoredTopic& image : *images) {
    const std::string topic = image.topic;
    if (image.declared) kept_[topic].declared = image.declared;
    if (const Status back = hub.restore(std::move(image)); !back) {
      return damaged(topic, back.error().message);
    }
  }
  for (auto& [topic, events] : *rings) {
    kept_[topic].ring = true;
    hub.restore_ring(topic, std::move(events));
  }
  return ok_status();
}

Error Store::damaged(std::string_view topic, std::string_view what) {
  return file_.database().error(
      ErrorCode::kStoreDamaged,
      fmt::format("is damaged (the row of topic {}: {}); put a copy in its place, move it away to start "
                  "empty, or set store.on_damage = \"start-empty\"",
                  quoted(topic), what));
}

Result<std::vector<StoredTopic>> Store::read_images() {
  Result<Statement> rows =
      file_.database().prepare("SELECT topic, seq, ts, status, image, delivery, halt, halt_until FROM image");
  if (!rows) return rows.error();
  std::vector<StoredTopic> images;
  std::vector<JsonField> fields;
  int code = SQLITE_DONE;
  while ((code = rows->step()) == SQLITE_ROW) {
    const std::string_view topic = rows->text(0);
    const auto status = parse_topic_status(rows->text(3));
    if (!status) return damaged(topic, fmt::format("unknown status {}", quoted(rows->text(3))));
    const auto declared = parse_delivery(rows->text(5));
    if (!declared && !rows->text(5).empty()) {
      return damaged(topic, fmt::format("unknown delivery {}", quoted(rows->text(5))));
    }
    if (!check_topic(topic)) return damaged(topic, "it is not a topic");
    if (const Status whole = scan_object(rows->text(4), fields, kImageLimits); !whole) {
      return damaged(topic, whole.error().message);
    }
    images.push_back({std::string(topic), static_cast<std::uint64_t>(rows->integer(1)), rows->integer(2),
                      *status, std::string(rows->text(4)), declared, nullptr});
    if (!rows->text(6).empty()) {
      images.back().halt = std::make_shared<const Halt>(std::string(rows->text(6)), rows->integer(7));
    }
  }
  if (code != SQLITE_DONE) return file_.database().error(code);
  return images;
}

Result<Store::Rings> Store::read_rings() {
  Result<Statement> rows =
      file_.database().prepare("SELECT topic, seq, ts, data FROM event ORDER BY topic, seq");
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
  if (code != SQLITE_DONE) return file_.database().error(code);
  return rings;
}

// --- flush ----------------------------------------------------------------------------------------------

Status Store::start(Hub& hub, int flush_ms) {
  const MutexLock lock(mutex_);
  assert(hub_ == nullptr);
  if (Status marked = mark_clean(false); !marked) return marked;
  remove_backup_copies(file_.real_path());
  hub_ = &hub;
  thread_ = std::jthread([this, flush_ms](const std::stop_token& stopping) { run(stopping, flush_ms); });
  return ok_status();
}

void Store::stop() {
  const bool was_started = thread_.joinable();
  if (was_started) {
    thread_.request_stop();
    thread_.join();
  }
  const MutexLock lock(mutex_);
  if (was_started) {
    Status ended = flush_locked();
    if (ended) ended = mark_clean(true);
    if (!ended) spdlog::error("store: the last images could not be written: {}", ended.error().message);
    hub_ = nullptr;
  }
  is_open_ = false;
  file_.close();
}

void Store::run(const std::stop_token& stopping, int flush_ms) {
  std::unique_lock lock(sleep_mutex_);
  while (!stopping.stop_requested()) {
    sleep_.wait_for(lock, stopping, std::chrono::milliseconds(flush_ms), [] { return false; });
    if (!contained(Boundary::kStore, "a flush of the store", [this] { std::ignore = flush(); })) on_fault();
  }
}

// What an exception left of a transaction is undone; the batch is still there, and is tried again.
void Store::on_fault() {
  const MutexLock lock(mutex_);
  file_.database().rollback();
  note(Error{ErrorCode::kStoreIo, "a fault in a flush", "store.path"}, 0);
}

Status Store::flush() {
  const MutexLock lock(mutex_);
  return flush_locked();
}

Status Store::flush_locked() {
  if (hub_ == nullptr) return ok_status();
  const auto begin = std::chrono::steady_clock::now();
  const std::uint64_t flushes = counters_.flushes.get();
  if (Status kept = keep_file(); !kept) {
    counters_.failures.add(1);
    set_degraded(kept);
    refuse_backup_request(file_.real_path());
    return kept;
  }
  Status written = write_batch();
  if (written) {
    batch_ = hub_->take_dirty();
    written = write_batch();
  }
  if (written) written = write_revocations();
  if (written) {
    set_degraded(written);
    serve_backup_request(file_.database(), file_.real_path());
  } else {
    refuse_backup_request(file_.real_path());
  }
  file_.note_written();
  if (counters_.flushes.get() != flushes) {
    const auto took = std::chrono::steady_clock::now() - begin;
    counters_.flush.observe(std::chrono::duration_cast<std::chrono::microseconds>(took).count());
  }
  return written;
}

Status Store::keep_file() {
  if (Status locked = file_.keep_lock(); !locked) return locked;
  const FileFinding found = file_.look();
  if (found == FileFinding::kReplaced) {
    file_.retire();
    return Error{ErrorCode::kStoreIo, fmt::format("store.path: {} {}", file_.path(), describe(found)),
                 "store.path"};
  }
  if (found != FileFinding::kSound) {
    if (Status renewed = file_.renew(found); !renewed) return renewed;
    spdlog::error("store: {} {}; all images are written anew", file_.path(), describe(found));
    counters_.failures.add(1);
    is_new_ = true;
  }
  if (!is_new_) return ok_status();
  if (Status marked = mark_clean(false); !marked) return marked;
  take_everything();
  if (revocations_ != nullptr) revoked_ = revocations_->take_all();
  is_new_ = false;
  return ok_status();
}

void Store::take_everything() {
  batch_.clear();
  const Pattern all = Pattern::parse(">").value();
  std::vector<UpdatePtr> some = hub_->list(all, "", kTopicsPerTransactionMax);
  while (!some.empty()) {
    const std::string after = some.back()->topic().name;
    for (UpdatePtr& last : some) {
      const std::string& name = last->topic().name;
      Dirty& dirty = batch_.emplace_back(Dirty{std::move(last), {}, 0});
      const auto kept = kept_.find(name);
      if (kept == kept_.end()) continue;
      dirty.declared = kept->second.declared;
      const TopicPtr topic = kept->second.ring ? hub_->find_topic(name) : nullptr;
      if (!topic) continue;
      dirty.events = topic->ring_between(1, dirty.last->seq());
      dirty.first_kept = topic->first_kept();
    }
    some = hub_->list(all, after, kTopicsPerTransactionMax);
  }
}

Status Store::backup(const std::string& target) {
  const MutexLock lock(mutex_);
  if (!is_open_) return Error{ErrorCode::kStoreIo, "the store is closed", "store.path"};
  if (Status written = flush_locked(); !written) return written;
  return copy_store(file_.database(), target);
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
  Result<Statement> image = file_.database().prepare(
      "INSERT INTO image VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT(topic) DO UPDATE SET"
      " seq=excluded.seq, ts=excluded.ts, status=excluded.status, image=excluded.image, "
      "delivery=excluded.delivery, halt=excluded.halt, halt_until=excluded.halt_until");
  if (!image) return image.error();
  Result<Statement> event = file_.database().prepare("INSERT OR REPLACE INTO event VALUES(?1, ?2, ?3, ?4)");
  if (!event) return event.error();
  Result<Statement> forget = file_.database().prepare("DELETE FROM event WHERE topic=?1 AND seq<?2");
  if (!forget) return forget.error();
  const auto run = [](Statement& statement, auto... values) {
    int parameter = 0;
    (statement.bind(++parameter, values), ...);
    const int code = statement.step();
    statement.reset();
    return code == SQLITE_DONE ? SQLITE_OK : code;
  };
  const auto write = [&](const Dirty& topic) REQUIRES(mutex_) {
    const Update& last = *topic.last;
    const std::string_view name = last.topic().name;
    const Halt none;
    const Halt& halt = last.halt() != nullptr ? *last.halt() : none;
    int code = run(*image, name, static_cast<std::int64_t>(last.seq()), last.ts(), name_of(topic.status),
                   last.image(), topic.declared ? name_of(*topic.declared) : std::string_view(""),
                   std::string_view(halt.reason), halt.until_ms);
    for (std::size_t i = 0; code == SQLITE_OK && i < topic.events.size(); ++i) {
      const Update& kept = *topic.events[i];
      code = run(*event, name, static_cast<std::int64_t>(kept.seq()), kept.ts(), kept.data());
    }
    if (topic.first_kept > 0 || topic.declared) {
      kept_.insert_or_assign(std::string(name), Kept{topic.first_kept > 0, topic.declared});
    }
    if (code == SQLITE_OK && topic.first_kept > 1) {
      code = run(*forget, name, static_cast<std::int64_t>(topic.first_kept));
    }
    return code;
  };
  if (Status begun = file_.database().exec("BEGIN"); !begun) return begun;
  for (const Dirty& topic : topics) {
    if (const int code = write(topic); code != SQLITE_OK) {
      Error failure = file_.database().error(code);
      file_.database().rollback();
      return failure;
    }
  }
  Status committed = file_.database().exec("COMMIT");
  if (!committed) file_.database().rollback();
  return committed;
}

Status Store::mark_clean(bool clean) {
  // These marks must be on the disk before anything that relies on them; images may lag, the marks tell. That
  // a run has begun must stand in the file itself: a copy of it, or what is left when its log is lost, would
  // let the next run go on with this epoch.
  Status marked = file_.database().exec(
      fmt::format("PRAGMA synchronous=FULL; REPLACE INTO meta VALUES('epoch','{}'),('clean','{}');{}"
                  "PRAGMA synchronous=NORMAL",
                  epoch_, clean ? 1 : 0, clean ? "" : "PRAGMA wal_checkpoint(TRUNCATE);"));
  file_.note_written();
  return marked;
}

void Store::note(const Status& written, std::size_t rows) {
  if (written) {
    counters_.flushes.add(1);
    counters_.rows.add(rows);
  } else {
    counters_.failures.add(1);
  }
  set_degraded(written);
}

void Store::set_degraded(const Status& outcome) {
  const bool failed = !outcome.ok();
  if ((counters_.degraded.get() != 0) == failed) return;
  counters_.degraded.set(failed ? 1 : 0);
  if (failed) {
    spdlog::error("store: degraded, live data goes on: {}; trying again until it works",
                  outcome.error().message);
  } else {
    spdlog::info("store: works again");
  }
}

StoreStats Store::stats() const {
  return {counters_.degraded.get() != 0 ? StoreState::kDegraded : StoreState::kOk, counters_.flushes.get(),
          counters_.rows.get(), counters_.failures.get()};
}

}  // namespace tickwire
