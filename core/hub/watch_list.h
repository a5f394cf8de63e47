// WatchList: topics to look at again at a certain time. Costs what is due, however many topics are in it.
//
// Any thread; its lock is a leaf. The topics outlive it: only those that have an update are added.
#pragma once

#include <cstdint>
#include <functional>
#include <queue>
#include <utility>
#include <vector>

#include "base/mutex.h"

namespace tickwire {

class Topic;

class WatchList {
 public:
  using Look = std::pair<std::int64_t, Topic*>;  // the steady time, in microseconds

  void add(Look look) {
    const MutexLock lock(mutex_);
    looks_.push(look);
  }

  // Removes and returns those that are due at `now_us`.
  std::vector<Look> take(std::int64_t now_us) {
    std::vector<Look> due;
    const MutexLock lock(mutex_);
    for (; !looks_.empty() && looks_.top().first <= now_us; looks_.pop()) due.push_back(looks_.top());
    return due;
  }

 private:
  Mutex mutex_;
  std::priority_queue<Look, std::vector<Look>, std::greater<>> looks_ GUARDED_BY(mutex_);
};

}  // namespace tickwire
