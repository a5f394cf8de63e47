// Counter and Histogram: what the server counts about itself while it runs; CounterInfo: what such a number
// is called and means. The rows of all numbers stand beside what counts them (fanout/shard_stats.h,
// store/store.h, engine/metrics.cc), and /health, /v1/sessions and /metrics read these rows.
//
// One writer at a time (a loop thread, or whoever holds the owner's lock); any thread reads. A change is a
// relaxed load and a relaxed store, so nothing waits and no cache line is locked. A reader may see one number
// of a moment and another one of the next. Numbers begin at 0 when the server starts.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace tickwire {

enum class CounterKind : std::uint8_t {
  kCounter,    // only grows
  kGauge,      // goes up and down
  kHistogram,  // how often a value was how large
};

struct CounterInfo {
  std::string_view name;  // as in JSON; metric_name() is what Prometheus knows it by
  CounterKind kind = CounterKind::kCounter;
  std::string_view unit;   // "s" or "bytes"; empty: what the name says is counted
  std::string_view label;  // what it is counted apart by (channel, feed, reason); empty: by nothing
  std::string_view help;   // one line
};

class Counter {
 public:
  void add(std::uint64_t n) {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  void sub(std::uint64_t n) { add(~n + 1); }
  void set(std::uint64_t n) { value_.store(n, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_ = 0;
};

// A counter for each of a fixed list of reasons.
class ReasonCounter {
 public:
  static constexpr std::size_t kReasonsMax = 96;

  // `reasons` outlives it.
  explicit ReasonCounter(std::span<const std::string_view> reasons) : reasons_(reasons) {
    assert(!reasons.empty() && reasons.size() <= kReasonsMax);
  }
  // `reason`: its place in the list. One past the end counts as the last.
  void add(std::size_t reason) { counts_.at(std::min(reason, reasons_.size() - 1)).add(1); }
  [[nodiscard]] std::span<const std::string_view> reasons() const { return reasons_; }
  [[nodiscard]] std::uint64_t get(std::size_t reason) const { return counts_.at(reason).get(); }

 private:
  const std::span<const std::string_view> reasons_;
  std::array<Counter, kReasonsMax> counts_;
};

// Upper bounds of times, in microseconds.
inline constexpr std::array<std::int64_t, 15> kTimeBoundsUs{
    100,    200,     500,     1'000,   2'000,     5'000,     10'000,   20'000,
    50'000, 100'000, 200'000, 500'000, 1'000'000, 2'000'000, 5'000'000};
// Upper bounds of numbers of things.
inline constexpr std::array<std::int64_t, 11> kNumberBounds{1, 2, 5, 10, 20, 50, 100, 200, 500, 1'000, 2'000};

// Counts values by size. Times are in microseconds; only /metrics turns them into seconds.
class Histogram {
 public:
  static constexpr std::size_t kBoundsMax = 16;

  // `bounds` ascend, and outlive it.
  explicit Histogram(std::span<const std::int64_t> bounds) : bounds_(bounds) {
    assert(bounds.size() <= kBoundsMax);
  }
  // A value below 0, as a clock that was set back gives it, counts as 0.
  void observe(std::int64_t value) {
    value = std::max<std::int64_t>(value, 0);
    const auto bucket = std::ranges::lower_bound(bounds_, value) - bounds_.begin();
    buckets_.at(static_cast<std::size_t>(bucket)).add(1);
    sum_.add(static_cast<std::uint64_t>(value));
  }

  [[nodiscard]] std::span<const std::int64_t> bounds() const { return bounds_; }
  // How many values were at most bounds()[bucket] and above the bound before it; the bucket after the last
  // bound has all others.
  [[nodiscard]] std::uint64_t bucket(std::size_t bucket) const { return buckets_.at(bucket).get(); }
  [[nodiscard]] std::uint64_t sum() const { return sum_.get(); }

 private:
  const std::span<const std::int64_t> bounds_;
  std::array<Counter, kBoundsMax + 1> buckets_;
  Counter sum_;
};

}  // namespace tickwire
