// PaceGrid: when subscriptions with a max_rate are due. All of one pace are due at the same moments, the
// multiples of it, whoever they belong to: so they receive the same messages, and share their bytes.
//
// Loop thread. What became behind after a moment began waits for the next one, however long this one takes.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <utility>
#include <vector>

#include "base/timer_heap.h"
#include "base/work.h"
#include "fanout/session_table.h"
#include "protocol/command.h"
#include "session/subscription.h"

namespace tickwire {

// Milliseconds between two messages of at most `max_rate` a second (kMaxRateMin to kMaxRateMax); 0: no limit.
inline std::uint16_t pace_ms_of(double max_rate) {
  static_assert(1000 / kMaxRateMin < UINT16_MAX);
  return max_rate > 0 ? static_cast<std::uint16_t>(std::ceil(1000 / max_rate)) : std::uint16_t{0};
}

class PaceGrid {
 public:
  struct Owed {
    SessionRef session;
    SubscriptionIndex index;
    std::uint16_t pace_ms;
  };

  // It is behind and may be sent at the next multiple of `pace_ms`.
  void owe(std::int64_t now_us, const Owed& owed) {
    Moment& moment = moments_[owed.pace_ms];
    const std::int64_t pace_us = std::int64_t{owed.pace_ms} * 1000;
    if (moment.owed.empty()) timers_.start(moment, (now_us / pace_us + 1) * pace_us);
    moment.owed.push_back(owed);
  }

  // Calls `due` with what is due, a piece of it.
  template <typename Due>
  void take_due(std::int64_t now_us, const Budget& budget, const Due& due) {
    while (!budget.spent()) {
      auto* moment = static_cast<Moment*>(timers_.take_due(now_us));
      if (moment == nullptr) break;
      Work::count();
      const std::uint16_t pace_ms = moment->owed.front().pace_ms;
      due_.push_back(std::move(moment->owed));
      moments_.erase(pace_ms);
    }
    while (!due_.empty()) {
      const std::vector<Owed>& first = due_.front();
      for (; taken_ < first.size() && !budget.spent(); ++taken_) {
        Work::count();
        due(first[taken_]);
      }
      if (taken_ < first.size()) return;
      due_.pop_front();
      taken_ = 0;
    }
  }

  // The next moment at which something is due, 0: now, < 0: never.
  [[nodiscard]] std::int64_t next_due_us() const { return due_.empty() ? timers_.next_us() : 0; }

 private:
  struct Moment : Timer {
    std::vector<Owed> owed;
  };
  TimerHeap timers_;                         // of the moments
  std::map<std::uint16_t, Moment> moments_;  // only those with something owed
  std::deque<std::vector<Owed>> due_;        // what moments that have come left
  std::size_t taken_ = 0;                    // of the first of them
};

}  // namespace tickwire
