// LoopPulse: what a loop thread is doing right now, and how often it has come round, so that a watchdog can
// see that a loop stands still and say in what.
//
// One writer, the loop thread; any thread reads. A change is one relaxed store of a byte.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tickwire {

enum class Activity : std::uint8_t {
  kNotRunning,  // before the loop's thread runs, and after it has ended
  kPolling,
  kAccepting,
  kReading,
  kSubscribe,
  kUnsubscribe,
  kPublish,
  kList,
  kGet,
  kAuth,
  kPing,
  kPosted,
  kTurn,
  kSending,
  kTick,
  kDeadlines,
  kHttp,
  kUpgrade,
  kDisconnect,
};

inline constexpr std::array<std::string_view, 19> kActivityNames{
    "not running",
    "polling",
    "accepting clients",
    "reading a message",
    "subscribe",
    "unsubscribe",
    "publish",
    "list",
    "get",
    "auth",
    "ping",
    "a posted call",
    "a turn",
    "sending",
    "the tick",
    "deadlines",
    "HTTP",
    "an upgrade",
    "the end of a connection",
};

constexpr std::string_view name_of(Activity activity) {
  return kActivityNames.at(static_cast<std::size_t>(activity));
}

class LoopPulse {
 public:
  void set(Activity activity) { activity_.store(activity, std::memory_order_relaxed); }
  [[nodiscard]] Activity activity() const { return activity_.load(std::memory_order_relaxed); }

  // The loop came round once more.
  void beat() { beats_.store(beats() + 1, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t beats() const { return beats_.load(std::memory_order_relaxed); }

 private:
  std::atomic<Activity> activity_ = Activity::kNotRunning;
  std::atomic<std::uint64_t> beats_ = 0;
};

// Names what the loop does until the end of a block; then what it did before counts again.
class Doing {
 public:
  Doing(LoopPulse& pulse, Activity activity) : pulse_(pulse), before_(pulse.activity()) {
    pulse_.set(activity);
  }
  ~Doing() { pulse_.set(before_); }
  Doing(const Doing&) = delete;
  Doing& operator=(const Doing&) = delete;

 private:
  LoopPulse& pulse_;
  const Activity before_;
};

}  // namespace tickwire
