// Inbox: where publishers leave updates for a shard until its next turn.
//
// deliver() on any publishing thread; take() and rest() on the loop thread. Wakes the loop only when it is
// not going to take anyway: one wake for each take, however many updates.
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
    if (!awake_.exchange(true)) wake_();
  }

  // Swaps everything into `out`, which must be empty: its capacity is reused.
  void take(std::vector<UpdatePtr>& out) {
    awake_ = false;
    const std::lock_guard lock(mutex_);
    updates_.swap(out);
  }

  [[nodiscard]] bool empty() const {
    const std::lock_guard lock(mutex_);
    return updates_.empty();
  }

 private:
  const std::function<void()> wake_;
  std::atomic<bool> awake_ = false;  // the loop was woken and has not taken since
  mutable std::mutex mutex_;
  std::vector<UpdatePtr> updates_;  // protected by mutex_
};

}  // namespace tickwire
