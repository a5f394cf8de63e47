#include "engine/worker_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#include "base/fault.h"

namespace tickwire {
namespace {

TEST(WorkerPool, HasNoThreadUntilThereIsATask) {
  WorkerPool pool;
  EXPECT_EQ(pool.thread_count(), 0U);
  std::promise<std::thread::id> ran;
  pool.run([&ran] { ran.set_value(std::this_thread::get_id()); });
  EXPECT_NE(ran.get_future().get(), std::this_thread::get_id());
  EXPECT_EQ(pool.thread_count(), 1U);
}

TEST(WorkerPool, ManyTasksShareAFewThreads) {
  WorkerPool pool;
  std::promise<void> go;
  const std::shared_future<void> gone = go.get_future().share();
  std::vector<std::promise<void>> done(20);
  for (std::promise<void>& one : done) {
    pool.run([&one, gone] {
      gone.wait();
      one.set_value();
    });
  }
  EXPECT_EQ(pool.thread_count(), kWorkersMax);
  go.set_value();
  for (std::promise<void>& one : done) one.get_future().wait();
}

TEST(WorkerPool, ATaskThatThrowsIsCountedAndTheNextOneRuns) {
  WorkerPool pool;
  const std::uint64_t before = fault_count(Boundary::kWorker);
  for (int i = 0; i < 10; ++i) pool.run([] { throw std::runtime_error("injected"); });
  std::promise<void> ran;
  pool.run([&ran] { ran.set_value(); });
  ran.get_future().wait();
  pool.stop();
  EXPECT_EQ(fault_count(Boundary::kWorker), before + 10);
}

TEST(WorkerPool, StopFinishesWhatRunsAndDropsWhatWaitsAndWhatComes) {
  WorkerPool pool;
  std::promise<void> go;
  const std::shared_future<void> gone = go.get_future().share();
  std::vector<std::promise<void>> began(kWorkersMax);
  std::atomic<int> ran = 0;
  for (std::promise<void>& one : began) {
    pool.run([&, gone] {
      one.set_value();
      gone.wait();
      ++ran;
    });
  }
  for (std::promise<void>& one : began) one.get_future().wait();
  auto held = std::make_shared<int>(1);
  pool.run([&ran, held] { ++ran; });
  go.set_value();
  // What waits may have begun before the stop; what comes after it may not.
  pool.stop();
  const int before = ran;
  EXPECT_GE(before, static_cast<int>(kWorkersMax));
  pool.run([&ran, held] { ++ran; });
  EXPECT_EQ(ran, before);
  EXPECT_EQ(held.use_count(), 1) << "nothing is held on to";
}

TEST(WorkerPool, ATaskMayRunAnotherAsItIsFreed) {
  WorkerPool pool;
  std::promise<void> freed;
  pool.run([last = std::shared_ptr<int>(new int(1), [&](int* value) {
              delete value;
              pool.run([&freed] { freed.set_value(); });
            })] {});
  freed.get_future().wait();
}

}  // namespace
}  // namespace tickwire
