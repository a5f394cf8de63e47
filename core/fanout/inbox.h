// Inbox: where publishers leave updates for a shard until its next turn, at most so many: what comes past
// that is left out, and the turn brings the shard's topics up to where they are. A change of the epoch keeps
// its place among them. So a loop that is too slow for what is published costs its clients states in between,
// and nobody memory.
//
// deliver() on any publishing thread; take() and rest() on the loop thread. The loop is woken only while it
// rests: otherwise it is going to look by itself.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "hub/update_sink.h"

namespace tickwire {

// What was left for one turn.
struct InboxBatch {
  struct Epoch {
    std::size_t place = 0;  // before updates[place]
    std::string name;
  };
  std::vector<UpdatePtr> updates;
  std::vector<Epoch> epochs;
  bool overrun = false;  // some updates were left out after those

  [[nodiscard]] bool empty() const { return updates.empty() && epochs.empty() && !overrun; }
  // Keeps the room.
  void clear() {
    updates.clear();
    epochs.clear();
    overrun = false;
  }
};

class Inbox final : public UpdateSink {
 public:
  Inbox(std::function<void()> wake, std::size_t updates_max)
      : wake_(std::move(wake)), updates_max_(updates_max) {}

  void deliver(const UpdatePtr& update) override {
    {
      const MutexLock lock(mutex_);
      if (waiting_.updates.size() < updates_max_) {
        waiting_.updates.push_back(update);
      } else {
        waiting_.overrun = true;
      }
    }
    if (resting_.exchange(false)) wake_();
  }
  bool deliver_epoch(const std::string& epoch) override {
    {
      const MutexLock lock(mutex_);
      waiting_.epochs.push_back({waiting_.updates.size(), epoch});
    }
    if (resting_.exchange(false)) wake_();
    return true;
  }

  // Swaps everything into `out`, which must be empty: its room is reused.
  void take(InboxBatch& out) {
    const MutexLock lock(mutex_);
    std::swap(waiting_, out);
  }

  [[nodiscard]] bool empty() const {
    const MutexLock lock(mutex_);
    return waiting_.empty();
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
  mutable Mutex mutex_;
  InboxBatch waiting_ GUARDED_BY(mutex_);
};

}  // namespace tickwire
