#include "cluster/checkpointer.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace tickwire::cluster {
namespace {

constexpr std::int64_t kMarkUs = 100'000;
constexpr std::uint64_t kMarkBytes = std::uint64_t{1} << 20U;

Row row_of(const Update& last, const Follower& follower) {
  const std::string& topic = last.topic().name;
  return {topic,
          follower.position().n,
          last.seq(),
          last.ts(),
          last.status(),
          last.delivery(),
          follower.cut_of(topic),
          std::string(last.image())};
}

}  // namespace

std::vector<Row> all_rows(const Hub& hub, const Follower& follower) {
  std::vector<Row> rows;
  std::string after;
  for (auto run = hub.topics_after(after); !run.empty(); run = hub.topics_after(after)) {
    for (const TopicPtr& topic : run) {
      if (const UpdatePtr last = topic->last()) rows.push_back(row_of(*last, follower));
    }
  }
  return rows;
}

void Checkpointer::look(const Follower& follower, std::size_t bytes) {
  const MutexLock lock(mutex_);
  here_ = follower.position();
  mark(follower, bytes);
  if (phase_ == Phase::kAsked) take_rows(follower);
}

void Checkpointer::take_rows(const Follower& follower) {
  at_ = here_;
  all_ = std::exchange(epoch_, here_.epoch) != here_.epoch;
  if (all_) {
    static_cast<void>(hub_.take_dirty());
    due_.clear();
    rows_ = all_rows(hub_, follower);
  } else {
    for (const Dirty& dirty : hub_.take_dirty()) {
      if (dirty.last) due_.insert(dirty.last->topic().name);
    }
    for (const std::string& topic : due_) {
      if (const UpdatePtr last = hub_.find(topic)) rows_.push_back(row_of(*last, follower));
    }
  }
  phase_ = Phase::kFull;
}

void Checkpointer::mark(const Follower& follower, std::size_t bytes) {
  bytes_ += bytes;
  const std::int64_t now = clock_.steady_us();
  const bool due =
      marks_.empty() || now - marks_.back().at_us >= kMarkUs || bytes_ - marks_.back().bytes >= kMarkBytes;
  if (due && bytes > 0) marks_.push_back({follower.position().n, now, bytes_});
}

std::uint64_t Checkpointer::trim_to() {
  const std::int64_t now = clock_.steady_us();
  std::uint64_t n = 0;
  while (!marks_.empty()) {
    const Mark& first = marks_.front();
    if (now - first.at_us < rules_.log_us && bytes_ - first.bytes < rules_.log_bytes) break;
    n = first.n;
    marks_.pop_front();
  }
  return n;
}

Checkpointer::Phase Checkpointer::phase() {
  const MutexLock lock(mutex_);
  return phase_;
}

Result<bool> Checkpointer::step(Table& table, const std::string& node) {
  const Phase now = phase();
  if (now == Phase::kIdle) return begin(table, node);
  return now == Phase::kFull ? write(table) : false;
}

Result<bool> Checkpointer::begin(Table& table, const std::string& node) {
  Position here;
  {
    const MutexLock lock(mutex_);
    here = here_;
  }
  if (here.epoch.empty() || clock_.steady_us() < due_us_) return false;
  due_us_ = clock_.steady_us() + rules_.every_us;
  right_ = names_.make();
  Result<bool> begun = table.begin(right_, node, here.epoch, here.n);
  if (!begun || !*begun) return begun;
  const MutexLock lock(mutex_);
  phase_ = Phase::kAsked;
  return true;
}

Result<bool> Checkpointer::write(Table& table) {
  std::vector<Row> some;
  Position at;
  std::uint64_t trim = 0;
  bool all = false;
  {
    const MutexLock lock(mutex_);
    const std::size_t count = std::min(rows_.size(), kRowsAtOnce);
    const auto first = rows_.end() - static_cast<std::ptrdiff_t>(count);
    some.assign(std::make_move_iterator(first), std::make_move_iterator(rows_.end()));
    rows_.erase(first, rows_.end());
    at = at_;
    all = rows_.empty();
    if (all) trim = trim_to();
  }
  Result<bool> kept = table.write(right_, some);
  if (kept && *kept && all) kept = table.end(right_, at, trim);
  const bool failed = !kept || !*kept;
  const MutexLock lock(mutex_);
  if (failed) {
    rows_.clear();
    epoch_ = all_ ? "" : epoch_;
  } else if (all) {
    due_.clear();
  }
  if (failed || all) phase_ = Phase::kIdle;
  return kept;
}

}  // namespace tickwire::cluster
