// Inbox: where publishers leave updates for a shard until its next turn, at most so many: what comes past
// that is left out, and the turn brings the shard's topics up to where they are. So a loop that is too slow
// for what is published costs its clients states in between, and nobody memory.
//
// deliver() on any publishing thread; take() and rest() on the loop thread. The loop is woken only while it
// rests: otherwise it is going to look by itself.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

#include "hub/update_sink.h"

namespace tickwire {

class Inbox final : public UpdateSink {
 public:
  Inbox(std::function<void()> wake, std::size_t updates_max)
      : wake_(std::move(wake)), updates_max_(updates_max) {}

  void deliver(const UpdatePtr& update) override {
    {
      const std::lock_guard lock(mutex_);
      if (updates_.size() < updates_max_) {
        updates_.push_back(update);
      } else {
        overrun_ = true;
      }
    }
    if (resting_.exchange(false)) wake_();
  }

  // Swaps everything into `out`, which must be empty: its capacity is reused. True: some were left out after
  // those.
  [[nodiscard]] bool take(std::vector<UpdatePtr>& out) {
    const std::lock_guard lock(mutex_);
    updates_.swap(out);
    return std::exchange(overrun_, false);
  }

  [[nodiscard]] bool empty() const {
    const std::lock_guard lock(mutex_);
    return updates_.empty();
  }

  // The loop plans no turn: the next update wakes it. False: one is there already.
  bool rest() {
    resting_ = true;
    if (empty()) return true;
    resting_ = false;
    return false;
  }

 private:
  const std::function<void()> wake_;
  const std::size_t updates_max_;
  std::atomic<bool> resting_ = true;
  mutable std::mutex mutex_;
  // Protected by mutex_:
  std::vector<UpdatePtr> updates_;
  bool overrun_ = false;
};

}  // namespace tickwire
