// HaltList: the topics that an operator holds, at most kHaltsMax.
//
// Any thread; its lock is a leaf. The topics outlive it: only those that have an update are added.
#pragma once

#include <cstddef>
#include <set>
#include <vector>

#include "base/mutex.h"
#include "model/halt.h"

namespace tickwire {

class Topic;

class HaltList {
 public:
  // False: there is no room.
  bool add(Topic& topic) {
    const MutexLock lock(mutex_);
    if (topics_.size() >= kHaltsMax) return false;
    topics_.insert(&topic);
    return true;
  }
  void remove(Topic& topic) {
    const MutexLock lock(mutex_);
    topics_.erase(&topic);
  }
  [[nodiscard]] std::vector<const Topic*> all() const {
    const MutexLock lock(mutex_);
    return {topics_.begin(), topics_.end()};
  }
  [[nodiscard]] std::size_t size() const {
    const MutexLock lock(mutex_);
    return topics_.size();
  }

 private:
  mutable Mutex mutex_;
  std::set<Topic*> topics_ GUARDED_BY(mutex_);
};

}  // namespace tickwire
