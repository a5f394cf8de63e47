// PostedCalls: what other threads have a loop do, in the order in which they say so.
//
// post() on any thread; take() and stop() on the loop thread.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "base/mutex.h"

namespace tickwire {

class PostedCalls {
 public:
  using Call = std::function<void()>;

  // False: stopped, so it will never be called.
  bool post(Call call) {
    const MutexLock lock(mutex_);
    if (stopped_) return false;
    waiting_.push_back(std::move(call));
    return true;
  }
  [[nodiscard]] std::vector<Call> take() {
    const MutexLock lock(mutex_);
    return std::exchange(waiting_, {});
  }
  // Takes nothing from now on. False: something waits, which must be taken first.
  bool stop() {
    const MutexLock lock(mutex_);
    stopped_ = waiting_.empty();
    return stopped_;
  }

 private:
  Mutex mutex_;
  std::vector<Call> waiting_ GUARDED_BY(mutex_);
  bool stopped_ GUARDED_BY(mutex_) = false;
};

}  // namespace tickwire
