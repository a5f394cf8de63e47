#include "engine/worker_pool.h"

#include <pthread.h>

#include <system_error>
#include <utility>

#include "base/fault.h"

namespace tickwire {

void WorkerPool::run(Asker asker, Task task) {
  {
    const MutexLock lock(mutex_);
    if (stopped_) return;
    if (waiting_ >= idle_ && threads_.size() < kWorkersMax) add_thread();
    if (!threads_.empty()) {
      std::deque<Task>& tasks = tasks_[asker];
      if (tasks.empty() && asker != kNobody) turns_.push_back(asker);
      if (tasks.empty() && asker == kNobody) turns_.push_front(asker);
      tasks.push_back(std::move(task));
      ++waiting_;
      changed_.notify_one();
      return;
    }
  }
  task();  // no thread is to be had
}

void WorkerPool::add_thread() {
  try {
    threads_.emplace_back([this] { work(); });
  } catch (const std::system_error&) {
    return;  // those that are there do it
  }
}

WorkerPool::Task WorkerPool::take_next() {
  const Asker asker = turns_.front();
  const auto tasks = tasks_.find(asker);
  Task next = std::move(tasks->second.front());
  tasks->second.pop_front();
  --waiting_;
  if (asker == kNobody && !tasks->second.empty()) return next;
  turns_.pop_front();
  if (tasks->second.empty()) {
    tasks_.erase(tasks);
  } else {
    turns_.push_back(asker);
  }
  return next;
}

void WorkerPool::work() {
  ::pthread_setname_np(::pthread_self(), "tickwire-work");
  while (true) {
    Task task;  // what it holds is freed without the lock, and may run another
    {
      const MutexLock lock(mutex_);
      ++idle_;
      changed_.wait(mutex_, [this]() REQUIRES(mutex_) { return stopped_ || waiting_ > 0; });
      --idle_;
      if (stopped_) return;
      task = take_next();
    }
    contained(Boundary::kWorker, "a task of a worker", task);
  }
}

void WorkerPool::stop() {
  std::unordered_map<Asker, std::deque<Task>> dropped;
  std::vector<std::thread> threads;
  {
    const MutexLock lock(mutex_);
    stopped_ = true;
    dropped.swap(tasks_);
    turns_.clear();
    waiting_ = 0;
    threads.swap(threads_);
  }
  changed_.notify_all();
  for (std::thread& thread : threads) thread.join();
}

std::size_t WorkerPool::thread_count() const {
  const MutexLock lock(mutex_);
  return threads_.size();
}

}  // namespace tickwire
