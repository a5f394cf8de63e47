// Currency: who waits until this node is as far as the log is now.
//
//     ask() ──> asking ──head_is(n)──> waiting for n ──reached(n)──> then(true)
//                  └──────────────────────┴──────────── give_up() ──> then(false)
//
// Any thread asks; `then` is called without the lock held.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "base/mutex.h"

namespace tickwire::cluster {

class Currency {
 public:
  using Then = std::function<void(bool current)>;

  void ask(Then then) {
    {
      const MutexLock lock(mutex_);
      if (!cut_off_) return asking_.push_back(std::move(then));
    }
    then(false);
  }
  // How many asked whom head_is() has not reached; it does not count those that ask later.
  [[nodiscard]] std::size_t asking() const {
    const MutexLock lock(mutex_);
    return asking_.size();
  }
  // The log has come to `n`, after the first `asked` had asked.
  void head_is(std::uint64_t n, std::size_t asked) {
    std::vector<Then> now;
    {
      const MutexLock lock(mutex_);
      for (std::size_t i = 0; i < asked && !asking_.empty(); ++i) {
        if (n <= reached_)
          now.push_back(std::move(asking_.front()));
        else
          waiting_.emplace(n, std::move(asking_.front()));
        asking_.erase(asking_.begin());
      }
    }
    for (const Then& then : now) then(true);
  }
  // The node has come to `n`.
  void reached(std::uint64_t n) {
    std::vector<Then> now;
    {
      const MutexLock lock(mutex_);
      reached_ = n;
      for (auto it = waiting_.begin(); it != waiting_.end() && it->first <= n; it = waiting_.erase(it))
        now.push_back(std::move(it->second));
    }
    for (const Then& then : now) then(true);
  }
  // The numbers that were heard of are of a history that is none any more.
  void ask_again() {
    const MutexLock lock(mutex_);
    for (auto& [n, then] : waiting_) asking_.push_back(std::move(then));
    waiting_.clear();
  }
  // While the node is cut off, nobody can say.
  void set_cut_off(bool cut_off) {
    std::vector<Then> now;
    {
      const MutexLock lock(mutex_);
      cut_off_ = cut_off;
      if (!cut_off) return;
      now = std::exchange(asking_, {});
      for (auto& [n, then] : waiting_) now.push_back(std::move(then));
      waiting_.clear();
    }
    for (const Then& then : now) then(false);
  }

 private:
  mutable Mutex mutex_;
  bool cut_off_ GUARDED_BY(mutex_) = false;
  std::uint64_t reached_ GUARDED_BY(mutex_) = 0;
  std::vector<Then> asking_ GUARDED_BY(mutex_);
  std::multimap<std::uint64_t, Then> waiting_ GUARDED_BY(mutex_);
};

}  // namespace tickwire::cluster
