#include "base/ring_buffer.h"

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <random>

namespace tickwire {
namespace {

TEST(RingBuffer, IsAQueueThroughAnyPushesAndPops) {
  std::mt19937 random(1);
  RingBuffer<std::shared_ptr<int>> ring;
  std::deque<int> expected;
  for (int i = 0; i < 10'000; ++i) {
    const bool push = expected.empty() || random() % 100 < (i < 5'000 ? 55U : 45U);
    if (push) {
      ring.push_back(std::make_shared<int>(i));
      expected.push_back(i);
    } else {
      EXPECT_EQ(*ring.front(), expected.front());
      EXPECT_EQ(*ring.pop_front(), expected.front());
      expected.pop_front();
    }
    ASSERT_EQ(ring.size(), expected.size());
    ASSERT_EQ(ring.empty(), expected.empty());
    for (std::size_t at = 0; at < expected.size(); at += 1 + expected.size() / 7) {
      ASSERT_EQ(*ring[at], expected[at]);
    }
  }
}

TEST(RingBuffer, KeepsNothingOfWhatWasTaken) {
  RingBuffer<std::shared_ptr<int>> ring;
  ring.push_back(std::make_shared<int>(1));
  const std::weak_ptr<int> taken = ring.front();
  (void)ring.pop_front();
  EXPECT_TRUE(taken.expired());
}

}  // namespace
}  // namespace tickwire
