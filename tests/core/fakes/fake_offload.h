// An Offload whose workers work when a test says so.
#pragma once

#include <deque>
#include <functional>
#include <utility>

#include "fanout/offload.h"

namespace tickwire {

class FakeOffload final : public Offload {
 public:
  FakeOffload() = default;
  ~FakeOffload() override { end(); }
  FakeOffload(const FakeOffload&) = delete;
  FakeOffload& operator=(const FakeOffload&) = delete;

  void run(Asker /*asker*/, std::function<void()> task) override {
    if (ended_) return;
    if (at_once) return task();
    tasks_.push_back(std::move(task));
  }
  // False: there is none.
  bool run_one() {
    if (tasks_.empty()) return false;
    const std::function<void()> task = std::move(tasks_.front());
    tasks_.pop_front();
    task();
    return true;
  }
  void run_all() {
    while (run_one()) {
    }
  }
  // Must be called before the shard that the tasks belong to is destroyed.
  void end() {
    ended_ = true;
    std::deque<std::function<void()>>().swap(tasks_);
  }
  [[nodiscard]] std::size_t waiting() const { return tasks_.size(); }

  bool at_once = false;

 private:
  std::deque<std::function<void()>> tasks_;
  bool ended_ = false;
};

}  // namespace tickwire
