#include "engine/worker_pool.h"

#include <pthread.h>

#include <system_error>
#include <utility>

#include "base/fault.h"

namespace tickwire {

void WorkerPool::run(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return;
    if (tasks_.size() >= idle_ && threads_.size() < kWorkersMax) add_thread();
    if (!threads_.empty()) {
      tasks_.push_back(std::move(task));
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

void WorkerPool::work() {
  ::pthread_setname_np(::pthread_self(), "tickwire-work");
  std::unique_lock lock(mutex_);
  while (true) {
    ++idle_;
    changed_.wait(lock, [this] { return stopped_ || !tasks_.empty(); });
    --idle_;
    if (stopped_) return;
    std::function<void()> task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    contained(Boundary::kWorker, "a task of a worker", task);
    task = nullptr;  // what it holds is freed without the lock, and may run another
    lock.lock();
  }
}

void WorkerPool::stop() {
  std::deque<std::function<void()>> dropped;
  std::vector<std::thread> threads;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    dropped.swap(tasks_);
    threads.swap(threads_);
  }
  changed_.notify_all();
  for (std::thread& thread : threads) thread.join();
}

std::size_t WorkerPool::thread_count() const {
  const std::lock_guard lock(mutex_);
  return threads_.size();
}

}  // namespace tickwire
