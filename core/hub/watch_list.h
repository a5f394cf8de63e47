// WatchList: topics to look at again at a certain time.
//
// Any thread; its lock is a leaf. The topics outlive it: only those that have an update are added.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <vector>

namespace tickwire {

class Topic;

class WatchList {
 public:
  // `due_us`: steady time.
  void add(std::int64_t due_us, Topic& topic) {
    const std::lock_guard lock(mutex_);
    topics_.emplace(due_us, &topic);
  }

  // Removes and returns those that are due at `now_us`.
  std::vector<Topic*> take(std::int64_t now_us) {
    std::vector<Topic*> due;
    const std::lock_guard lock(mutex_);
    const auto end = topics_.upper_bound(now_us);
    for (auto it = topics_.begin(); it != end; ++it) due.push_back(it->second);
    topics_.erase(topics_.begin(), end);
    return due;
  }

 private:
  std::mutex mutex_;
  std::multimap<std::int64_t, Topic*> topics_;  // protected by mutex_; by the time at which they are due
};

}  // namespace tickwire
