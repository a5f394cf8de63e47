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

constexpr Offload::Asker kAsker = 7;

TEST(WorkerPool, HasNoThreadUntilThereIsATask) {
  WorkerPool pool;
  EXPECT_EQ(pool.thread_count(), 0U);
  std::promise<std::thread::id> ran;
  pool.run(kAsker, [&ran] { ran.set_value(std::this_thread::get_id()); });
  EXPECT_NE(ran.get_future().get(), std::this_thread::get_id());
  EXPECT_EQ(pool.thread_count(), 1U);
}

TEST(WorkerPool, ManyTasksShareAFewThreads) {
  WorkerPool pool;
  std::promise<void> go;
  const std::shared_future<void> gone = go.get_future().share();
  std::vector<std::promise<void>> done(20);
  for (std::promise<void>& one : done) {
    pool.run(kAsker, [&one, gone] {
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
  for (int i = 0; i < 10; ++i) pool.run(kAsker, [] { throw std::runtime_error("injected"); });
  std::promise<void> ran;
  pool.run(kAsker, [&ran] { ran.set_value(); });
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
    pool.run(kAsker, [&, gone] {
      one.set_value();
      gone.wait();
      ++ran;
    });
  }
  for (std::promise<void>& one : began) one.get_future().wait();
  auto held = std::make_shared<int>(1);
  pool.run(kAsker, [&ran, held] { ++ran; });
  go.set_value();
  // What waits may have begun before the stop; what comes after it may not.
  pool.stop();
  const int before = ran;
  EXPECT_GE(before, static_cast<int>(kWorkersMax));
  pool.run(kAsker, [&ran, held] { ++ran; });
  EXPECT_EQ(ran, before);
  EXPECT_EQ(held.use_count(), 1) << "nothing is held on to";
}

TEST(WorkerPool, ATaskMayRunAnotherAsItIsFreed) {
  WorkerPool pool;
  std::promise<void> freed;
  pool.run(kAsker, [last = std::shared_ptr<int>(new int(1), [&](int* value) {
                      delete value;
                      pool.run(kAsker, [&freed] { freed.set_value(); });
                    })] {});
  freed.get_future().wait();
}

TEST(WorkerPool, AnAskerWithManyTasksHoldsUpOnlyItself) {
  WorkerPool pool;
  std::vector<std::promise<void>> began(kWorkersMax);
  std::vector<std::promise<void>> go(kWorkersMax);
  for (std::size_t i = 0; i < kWorkersMax; ++i) {
    pool.run(kAsker, [&one = began[i], gone = go[i].get_future().share()] {
      one.set_value();
      gone.wait();
    });
  }
  // Only when every thread is busy do the next tasks wait, and one thread alone takes them.
  for (std::promise<void>& one : began) one.get_future().wait();
  std::vector<int> order;
  std::promise<void> last;
  const auto note = [&](int what) {
    order.push_back(what);
    if (order.size() == 9) last.set_value();
  };
  for (const int what : {10, 11, 12, 13}) pool.run(1, [&note, what] { note(what); });
  for (const int what : {20, 21}) pool.run(2, [&note, what] { note(what); });
  pool.run(3, [&note] { note(30); });
  for (const int what : {0, 1}) pool.run(Offload::kNobody, [&note, what] { note(what); });
  go.front().set_value();
  last.get_future().wait();
  EXPECT_EQ(order, (std::vector<int>{0, 1, 10, 20, 30, 11, 21, 12, 13}));
  for (std::size_t i = 1; i < go.size(); ++i) go[i].set_value();
}

}  // namespace
}  // namespace tickwire
