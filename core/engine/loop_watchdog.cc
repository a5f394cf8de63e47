#include "engine/loop_watchdog.h"

#include <pthread.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "base/fault.h"

namespace tickwire {

namespace {

double seconds(std::chrono::milliseconds time) {
  return static_cast<double>(time.count()) / 1000;
}

}  // namespace

LoopWatch::Change LoopWatch::look(std::chrono::microseconds passed) {
  const std::uint64_t beats = pulse_.beats();
  const Activity activity = pulse_.activity();
  if (beats != beats_ || activity == Activity::kNotRunning) {
    beats_ = beats;
    lasted_ = stood();
    stood_us_.store(0, std::memory_order_relaxed);
    return standing_.exchange(false, std::memory_order_relaxed) ? Change::kGoesOn : Change::kNone;
  }
  const std::int64_t counted = std::min<std::chrono::microseconds>(passed, 2 * kWatchPeriod).count();
  stood_us_.store(stood_us_.load(std::memory_order_relaxed) + counted, std::memory_order_relaxed);
  if (stood() < kStandstillMs) return Change::kNone;
  stood_in_ = activity;
  return standing_.exchange(true, std::memory_order_relaxed) ? Change::kNone : Change::kStopped;
}

std::chrono::milliseconds LoopWatch::stood() const {
  return std::chrono::milliseconds(stood_us_.load(std::memory_order_relaxed) / 1000);
}

LoopWatchdog::LoopWatchdog(const std::vector<const LoopPulse*>& pulses) {
  for (const LoopPulse* pulse : pulses) loops_.emplace_back(*pulse);
  thread_ = std::jthread([this](const std::stop_token& stopping) { run(stopping); });
}

std::size_t LoopWatchdog::standing() const {
  return static_cast<std::size_t>(std::ranges::count_if(loops_, &LoopWatch::standing));
}

void LoopWatchdog::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void LoopWatchdog::run(const std::stop_token& stopping) {
  ::pthread_setname_np(::pthread_self(), "tickwire-watch");
  std::unique_lock lock(mutex_);
  auto before = std::chrono::steady_clock::now();
  while (!sleep_.wait_for(lock, stopping, kWatchPeriod, [&] { return stopping.stop_requested(); })) {
    const auto now = std::chrono::steady_clock::now();
    contained(Boundary::kWatchdog, "a look at the loops",
              [&] { look(std::chrono::duration_cast<std::chrono::microseconds>(now - before)); });
    before = now;
  }
}

void LoopWatchdog::look(std::chrono::microseconds passed) {
  for (std::size_t i = 0; i < loops_.size(); ++i) {
    LoopWatch& loop = loops_[i];
    switch (loop.look(passed)) {
      case LoopWatch::Change::kNone:
        break;
      case LoopWatch::Change::kStopped:
        spdlog::error("loop {} stands still: it has not turned for {:.1f} s; it is at: {}", i,
                      seconds(loop.stood()), name_of(loop.stood_in()));
        break;
      case LoopWatch::Change::kGoesOn:
        spdlog::warn("loop {} goes on: it stood still for {:.1f} s, at: {}", i, seconds(loop.lasted()),
                     name_of(loop.stood_in()));
        break;
    }
  }
}

}  // namespace tickwire
