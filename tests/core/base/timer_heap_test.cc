#include "base/timer_heap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <random>
#include <vector>

namespace tickwire {
namespace {

TEST(TimerHeap, GivesOutWhatIsDueInTheOrderOfTheTimes) {
  TimerHeap heap;
  std::array<Timer, 3> timers;
  EXPECT_EQ(heap.next_us(), -1);
  heap.start(timers[0], 30);
  heap.start(timers[1], 10);
  heap.start(timers[2], 20);
  EXPECT_EQ(heap.next_us(), 10);
  EXPECT_EQ(heap.take_due(9), nullptr);
  EXPECT_EQ(heap.take_due(25), &timers[1]);
  EXPECT_FALSE(timers[1].running());
  EXPECT_EQ(heap.take_due(25), &timers[2]);
  EXPECT_EQ(heap.take_due(25), nullptr);
  EXPECT_TRUE(timers[0].running());
}

TEST(TimerHeap, StartingAgainMovesATimerAlsoToAnotherHeap) {
  TimerHeap first;
  TimerHeap second;
  Timer timer;
  first.start(timer, 10);
  first.start(timer, 5);
  EXPECT_EQ(first.size(), 1U);
  EXPECT_EQ(first.next_us(), 5);
  second.start(timer, 7);
  EXPECT_EQ(first.size(), 0U);
  EXPECT_EQ(first.take_due(100), nullptr);
  EXPECT_EQ(second.take_due(7), &timer);
}

TEST(TimerHeap, ForgetsATimerThatStopsOrIsDestroyed) {
  TimerHeap heap;
  std::array<Timer, 2> timers;
  auto destroyed = std::make_unique<Timer>();
  for (Timer& timer : timers) heap.start(timer, 10);
  heap.start(*destroyed, 5);
  timers[0].stop();
  timers[0].stop();
  destroyed.reset();
  EXPECT_EQ(heap.take_due(10), &timers[1]);
  EXPECT_EQ(heap.take_due(10), nullptr);
}

TEST(TimerHeap, MayGoBeforeItsTimers) {
  Timer timer;
  {
    TimerHeap heap;
    heap.start(timer, 10);
  }
  EXPECT_FALSE(timer.running());
  timer.stop();
}

// The heap is compared with a list that is searched from end to end.
TEST(TimerHeap, AgreesWithAListWhateverIsDoneToIt) {
  std::mt19937 random(1);
  const auto pick = [&](unsigned end) { return static_cast<std::size_t>(random() % end); };
  TimerHeap heap;
  std::vector<std::unique_ptr<Timer>> timers(50);
  std::vector<std::optional<std::int64_t>> due(timers.size());
  std::int64_t now = 0;
  for (int step = 0; step < 20'000; ++step) {
    const std::size_t i = pick(50);
    switch (pick(6)) {
      case 0:
        timers[i].reset();
        due[i].reset();
        break;
      case 1:
        if (timers[i]) timers[i]->stop();
        due[i].reset();
        break;
      case 2: {
        now += static_cast<std::int64_t>(pick(20));
        std::int64_t last = 0;
        while (Timer* taken = heap.take_due(now)) {
          const auto owner = std::ranges::find_if(timers, [&](const auto& t) { return t.get() == taken; });
          auto& was_due = due[static_cast<std::size_t>(owner - timers.begin())];
          ASSERT_TRUE(was_due.has_value());
          ASSERT_GE(*was_due, last);
          last = *was_due;
          was_due.reset();
        }
        break;
      }
      default:
        if (!timers[i]) timers[i] = std::make_unique<Timer>();
        due[i] = now + static_cast<std::int64_t>(pick(100));
        heap.start(*timers[i], *due[i]);
    }
    std::int64_t next = -1;
    std::size_t running = 0;
    for (const auto& each : due) {
      if (!each) continue;
      ++running;
      if (next < 0 || *each < next) next = *each;
    }
    ASSERT_EQ(heap.next_us(), next);
    ASSERT_EQ(heap.size(), running);
  }
}

}  // namespace
}  // namespace tickwire
