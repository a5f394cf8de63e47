// DirtyList: the topics of which the store has yet to write something.
//
// Any thread; its lock is a leaf. The topics outlive it: only those that have an update are added.
#pragma once

#include <utility>
#include <vector>

#include "base/mutex.h"

namespace tickwire {

class Topic;

class DirtyList {
 public:
  void add(Topic& topic) {
    const MutexLock lock(mutex_);
    topics_.push_back(&topic);
  }
  // Removes and returns them all.
  std::vector<Topic*> take() {
    const MutexLock lock(mutex_);
    return std::exchange(topics_, {});
  }

 private:
  Mutex mutex_;
  std::vector<Topic*> topics_ GUARDED_BY(mutex_);
};

}  // namespace tickwire
