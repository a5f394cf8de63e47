// LoopWatchdog: the small thread that notices a loop that stands still: one that did not come round for a
// second. It says so in the log, with what the loop was doing, and says when the loop goes on.
//
// Made and destroyed by one thread; the destructor joins. standing() and the like from any thread. The pulses
// outlive it. It takes no lock that a loop could hold.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "base/loop_pulse.h"

namespace tickwire {

inline constexpr std::chrono::milliseconds kWatchPeriod{250};  // loops come round as often when idle
inline constexpr std::chrono::milliseconds kStandstillMs{1'000};

// What is known of one loop. look() on one thread, the rest on any.
class LoopWatch {
 public:
  enum class Change : std::uint8_t { kNone, kStopped, kGoesOn };

  explicit LoopWatch(const LoopPulse& pulse) : pulse_(pulse) {}

  // `passed`: the time since the last look. More than two periods count as two: then this thread did not run
  // either (the process or the machine was asleep), and the loop is not to blame.
  Change look(std::chrono::microseconds passed);

  [[nodiscard]] bool standing() const { return standing_.load(std::memory_order_relaxed); }
  // For how long it has not come round.
  [[nodiscard]] std::chrono::milliseconds stood() const;
  // How long the last standstill was, which ended with kGoesOn. The looking thread only, as stood_in().
  [[nodiscard]] std::chrono::milliseconds lasted() const { return lasted_; }
  // What it does; while it stands, what it stands in.
  [[nodiscard]] Activity activity() const { return pulse_.activity(); }
  // What it stood in when that was last seen.
  [[nodiscard]] Activity stood_in() const { return stood_in_; }

 private:
  const LoopPulse& pulse_;
  std::atomic<bool> standing_ = false;
  std::atomic<std::int64_t> stood_us_ = 0;
  // The looking thread's:
  std::uint64_t beats_ = 0;
  std::chrono::milliseconds lasted_{0};
  Activity stood_in_ = Activity::kNotRunning;
};

class LoopWatchdog {
 public:
  explicit LoopWatchdog(const std::vector<const LoopPulse*>& pulses);

  [[nodiscard]] const std::deque<LoopWatch>& loops() const { return loops_; }
  [[nodiscard]] std::size_t standing() const;
  // Looks no more; what was seen last stays.
  void stop();

 private:
  void run(const std::stop_token& stopping);
  void look(std::chrono::microseconds passed);

  std::deque<LoopWatch> loops_;  // one for each shard, in their order
  std::mutex mutex_;
  std::condition_variable_any sleep_;
  std::jthread thread_;
};

}  // namespace tickwire
