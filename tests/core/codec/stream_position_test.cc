// Where bases lie in a stream, and when they are out of reach.
#include "codec/stream_position.h"

#include <gtest/gtest.h>

namespace tickwire {
namespace {

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

}  // namespace
}  // namespace tickwire
