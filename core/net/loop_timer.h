// LoopTimer: a timer of what a loop serves (base/timer_heap.h), which is told when it is due. Loop thread.
#pragma once

#include "base/timer_heap.h"

namespace tickwire {

class LoopTimer : public Timer {
 public:
  LoopTimer() = default;
  virtual ~LoopTimer() = default;
  LoopTimer(const LoopTimer&) = delete;
  LoopTimer& operator=(const LoopTimer&) = delete;
  // May end itself.
  virtual void on_due() = 0;
  // An exception came out of on_due(): ends what is in doubt. May end itself.
  virtual void on_fault() {}
};

}  // namespace tickwire
