#include "codec/window_trail.h"

#include <gtest/gtest.h>

#include <array>

namespace tickwire {
namespace {

std::size_t reach(const WindowTrail& trail, std::uint64_t now, std::size_t bytes,
                  std::array<std::uint32_t, 2>& gaps) {
  return trail.reach(StreamPosition(now), bytes, gaps);
}

TEST(WindowTrail, KnowsTheLastTwoMessages) {
  WindowTrail trail;
  std::array<std::uint32_t, 2> gaps{};
  EXPECT_EQ(reach(trail, 0, 10, gaps), 0U);
  trail.push(StreamPosition(100));
  trail.push(StreamPosition(300));
  trail.push(StreamPosition(700));
  EXPECT_EQ(reach(trail, 1000, 10, gaps), 2U);
  EXPECT_EQ(gaps, (std::array<std::uint32_t, 2>{300, 700}));
  trail.clear();
  EXPECT_EQ(reach(trail, 1000, 10, gaps), 0U);
}

TEST(WindowTrail, ABaseIsInReachUpToTheWindowsEdgeExactly) {
  WindowTrail trail;
  std::array<std::uint32_t, 2> gaps{};
  trail.push(StreamPosition(0));
  EXPECT_EQ(reach(trail, 32768 - 200, 200, gaps), 1U);
  EXPECT_EQ(reach(trail, 32768 - 199, 200, gaps), 0U);
}

TEST(WindowTrail, UsesTheBasesInReachAndNoneBehindThem) {
  WindowTrail trail;
  std::array<std::uint32_t, 2> gaps{};
  trail.push(StreamPosition(0));
  trail.push(StreamPosition(20000));
  EXPECT_EQ(reach(trail, 32568, 200, gaps), 2U);
  EXPECT_EQ(reach(trail, 32569, 200, gaps), 1U);
  EXPECT_EQ(reach(trail, 52568, 200, gaps), 1U);
  EXPECT_EQ(reach(trail, 52569, 200, gaps), 0U);
}

TEST(WindowTrail, AStepTooLongToNoteIsOutOfReachForEver) {
  WindowTrail trail;
  std::array<std::uint32_t, 2> gaps{};
  trail.push(StreamPosition(0));
  trail.push(StreamPosition(65536 + 100));  // must not be taken for a step of 100
  EXPECT_EQ(reach(trail, 65536 + 300, 200, gaps), 1U);
  trail.push(StreamPosition(std::uint64_t{5} << 32U));
  trail.push(StreamPosition((std::uint64_t{5} << 32U) + 100));
  EXPECT_EQ(reach(trail, (std::uint64_t{5} << 32U) + 300, 200, gaps), 2U);
}

TEST(WindowTrail, AStreamPastItsPositionsGoesOnWithoutBases) {
  constexpr std::uint64_t kEdge = std::uint64_t{1} << 46U;
  WindowTrail trail;
  std::array<std::uint32_t, 2> gaps{};
  trail.push(StreamPosition(kEdge - 300));
  EXPECT_EQ(reach(trail, kEdge - 1, 100, gaps), 1U);
  EXPECT_EQ(reach(trail, kEdge, 100, gaps), 0U);
  trail.push(StreamPosition(kEdge + 5));
  EXPECT_EQ(reach(trail, kEdge + 100, 100, gaps), 0U);
}

}  // namespace
}  // namespace tickwire
