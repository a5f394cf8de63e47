// Where bases lie in a stream, and when they are out of reach.
#include "codec/stream_position.h"

#include <gtest/gtest.h>

namespace tickwire {
namespace {

StreamPosition at(std::uint64_t bytes) {
  return StreamPosition(bytes);
}

TEST(StreamPosition, CountsTheBytesOfCompressedMessagesPastFourGigabytes) {
  StreamPosition position(0xFFFFFFFFULL);
  position.advance(10);
  EXPECT_EQ(position.bytes(), 0x100000009ULL);
}

TEST(BaseInReach, UpToTheWindowAndNotOnePastIt) {
  EXPECT_TRUE(base_in_reach(32768 - 200, 200));
  EXPECT_FALSE(base_in_reach(32768 - 199, 200));
  EXPECT_TRUE(base_in_reach(32768, 0));
  EXPECT_FALSE(base_in_reach(32769, 0));
  EXPECT_FALSE(base_in_reach(100, 32768));
  EXPECT_FALSE(base_in_reach((std::uint64_t{1} << 32) + 100, 200)) << "must not be cut to 32 bits";
}

TEST(BaseTrail, HasNoBaseBeforeTheFirstMessage) {
  BaseTrail trail;
  Gaps gaps{};
  EXPECT_EQ(trail.reach(at(1000), 100, gaps), 0U);
}

TEST(BaseTrail, KnowsHowFarBackEachOfTheLastMessagesLies) {
  BaseTrail trail;
  Gaps gaps{};
  for (const std::uint64_t start : {10U, 1000U, 1300U, 5000U, 9000U}) trail.push(at(start));
  ASSERT_EQ(trail.reach(at(9500), 200, gaps), kBasesMax);
  EXPECT_EQ(gaps, (Gaps{500, 4500, 8200, 8500}));
}

TEST(BaseTrail, UsesTheBasesInReachAndNoneBehindThem) {
  BaseTrail trail;
  Gaps gaps{};
  trail.push(at(0));
  trail.push(at(20000));
  EXPECT_EQ(trail.reach(at(32568), 200, gaps), 2U);
  EXPECT_EQ(trail.reach(at(32569), 200, gaps), 1U);
  EXPECT_EQ(trail.reach(at(52568), 200, gaps), 1U);
  EXPECT_EQ(trail.reach(at(52569), 200, gaps), 0U);
}

TEST(BaseTrail, AStepTooLongToNoteIsOutOfReachForEver) {
  BaseTrail trail;
  Gaps gaps{};
  trail.push(at(0));
  trail.push(at(65536 + 100));  // must not be taken for a step of 100
  EXPECT_EQ(trail.reach(at(65536 + 300), 200, gaps), 1U);
  trail.push(at(std::uint64_t{5} << 32));
  trail.push(at((std::uint64_t{5} << 32) + 100));
  EXPECT_EQ(trail.reach(at((std::uint64_t{5} << 32) + 300), 200, gaps), 2U);
}

TEST(BaseTrail, ForgetsItsBasesWhenToldThatTheyAreNotConsecutive) {
  BaseTrail trail;
  Gaps gaps{};
  trail.push(at(0));
  trail.push(at(100));
  trail.clear();
  EXPECT_EQ(trail.reach(at(200), 10, gaps), 0U);
  trail.push(at(200));
  EXPECT_EQ(trail.reach(at(300), 10, gaps), 1U);
}

}  // namespace
}  // namespace tickwire
