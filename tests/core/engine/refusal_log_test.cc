#include "engine/refusal_log.h"

#include <gtest/gtest.h>

namespace tickwire {
namespace {

TEST(RefusalLog, HasSoManyLinesAMinuteAndNotOneMore) {
  constexpr std::int64_t kMinuteUs = 60'000'000;
  RefusalLog log;
  for (std::size_t i = 0; i < kRefusalLinesPerMinuteMax; ++i) EXPECT_EQ(log.take(7), 0U) << i;
  EXPECT_EQ(log.take(7), std::nullopt);
  EXPECT_EQ(log.take(kMinuteUs + 6), std::nullopt);
  EXPECT_EQ(log.take(kMinuteUs + 7), 2U) << "those that had none";
  EXPECT_EQ(log.take(kMinuteUs + 8), 0U);
}

}  // namespace
}  // namespace tickwire
