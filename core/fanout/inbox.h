// Inbox: where publishers leave updates for a shard until its next turn.
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
  explicit Inbox(std::function<void()> wake) : wake_(std::move(wake)) {}

  void deliver(const UpdatePtr& update) override {
    {
      const std::lock_guard lock(mutex_);
      updates_.push_back(update);
    }
    if (resting_.exchange(false)) wake_();
  }

  // Swaps everything into `out`, which must be empty: its capacity is reused.
  void take(std::vector<UpdatePtr>& out) {
    const std::lock_guard lock(mutex_);
    updates_.swap(out);
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
  std::atomic<bool> resting_ = true;
  mutable std::mutex mutex_;
  std::vector<UpdatePtr> updates_;  // protected by mutex_
};

}  // namespace tickwire
