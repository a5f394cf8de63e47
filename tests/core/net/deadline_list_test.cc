#include "net/deadline_list.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>

namespace tickwire {
namespace {

constexpr std::int64_t kMs = 1000;

TEST(DeadlineList, YieldsWhatIsOverdueInTheOrderInWhichItWasStarted) {
  DeadlineList list(10);
  std::array<DeadlineNode, 3> nodes;
  list.start(nodes[1], 0);
  list.start(nodes[0], 1 * kMs);
  list.start(nodes[2], 2 * kMs);
  EXPECT_EQ(list.take_overdue(10 * kMs - 1), nullptr);
  EXPECT_EQ(list.take_overdue(11 * kMs), &nodes[1]);
  EXPECT_EQ(list.take_overdue(11 * kMs), &nodes[0]);
  EXPECT_EQ(list.take_overdue(11 * kMs), nullptr);
  EXPECT_EQ(list.take_overdue(12 * kMs), &nodes[2]);
}

TEST(DeadlineList, StartingAgainBeginsTheWaitAnew) {
  DeadlineList list(10);
  std::array<DeadlineNode, 2> nodes;
  list.start(nodes[0], 0);
  list.start(nodes[1], 0);
  list.start(nodes[0], 5 * kMs);
  EXPECT_EQ(list.take_overdue(14 * kMs), &nodes[1]);
  EXPECT_EQ(list.take_overdue(14 * kMs), nullptr);
  EXPECT_EQ(list.take_overdue(15 * kMs), &nodes[0]);
}

TEST(DeadlineList, ANodeWaitsInOneListOnly) {
  DeadlineList first(10);
  DeadlineList second(20);
  DeadlineNode node;
  first.start(node, 0);
  second.start(node, 0);
  EXPECT_EQ(first.take_overdue(10 * kMs), nullptr);
  EXPECT_EQ(second.take_overdue(20 * kMs), &node);
}

TEST(DeadlineList, ForgetsANodeThatLeavesOrIsDestroyed) {
  DeadlineList list(10);
  std::array<DeadlineNode, 3> nodes;
  auto destroyed = std::make_unique<DeadlineNode>();
  for (DeadlineNode& node : nodes) list.start(node, 0);
  list.start(*destroyed, 0);
  nodes[1].leave();
  destroyed.reset();
  EXPECT_EQ(list.take_overdue(10 * kMs), &nodes[0]);
  EXPECT_EQ(list.take_overdue(10 * kMs), &nodes[2]);
  EXPECT_EQ(list.take_overdue(10 * kMs), nullptr);
}

TEST(DeadlineList, MayGoBeforeItsNodes) {
  DeadlineNode node;
  {
    DeadlineList list(10);
    list.start(node, 0);
  }
  node.leave();
}

}  // namespace
}  // namespace tickwire
