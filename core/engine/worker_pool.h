// WorkerPool: a few threads for what is too large for a loop.
//
// run() from any thread; stop() and the destructor from the owner's. A thread is started when a task finds
// none free, so a plant whose clients send small messages has none. Where no thread can be started at all,
// run() does the task itself.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/mutex.h"
#include "fanout/offload.h"

namespace tickwire {

inline constexpr std::size_t kWorkersMax = 2;

class WorkerPool final : public Offload {
 public:
  WorkerPool() = default;
  ~WorkerPool() override { stop(); }
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  void run(Asker asker, std::function<void()> task) override;
  // Waits for the tasks that run, drops those that wait; from now on run() drops its own. Idempotent.
  void stop();
  [[nodiscard]] std::size_t thread_count() const;

 private:
  using Task = std::function<void()>;

  void add_thread() REQUIRES(mutex_);
  Task take_next() REQUIRES(mutex_);
  void work();

  mutable Mutex mutex_;
  std::condition_variable_any changed_;
  std::unordered_map<Asker, std::deque<Task>> tasks_ GUARDED_BY(mutex_);  // of those who have any
  std::deque<Asker> turns_ GUARDED_BY(mutex_);                            // each of them once
  std::size_t waiting_ GUARDED_BY(mutex_) = 0;                            // tasks
  std::vector<std::thread> threads_ GUARDED_BY(mutex_);
  std::size_t idle_ GUARDED_BY(mutex_) = 0;
  bool stopped_ GUARDED_BY(mutex_) = false;
};

}  // namespace tickwire
