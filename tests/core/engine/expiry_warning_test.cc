#include "engine/expiry_warning.h"

#include <gtest/gtest.h>

namespace tickwire {
namespace {

constexpr std::int64_t kDayS = 86'400;
constexpr std::int64_t kEndS = 1'000 * kDayS;

TEST(ExpiryWarning, ComesFourteenDaysBeforeTheEndAndThenOnceADay) {
  ExpiryWarning warning;
  EXPECT_FALSE(warning.look(kEndS, kEndS - 14 * kDayS));
  EXPECT_EQ(warning.look(kEndS, kEndS - 14 * kDayS + 1), "expires in 13 days; renew it");
  EXPECT_FALSE(warning.look(kEndS, kEndS - 13 * kDayS));
  EXPECT_EQ(warning.look(kEndS, kEndS - 13 * kDayS + 1), "expires in 12 days; renew it");
  EXPECT_EQ(warning.look(kEndS, kEndS - 1), "expires in 0 days; renew it");
  EXPECT_EQ(warning.look(kEndS, kEndS + kDayS), "has expired, so clients refuse it; renew it");
  EXPECT_FALSE(warning.look(kEndS, kEndS + 2 * kDayS - 1));
}

TEST(ExpiryWarning, AnotherCertificateIsJudgedAtOnceAndSoIsAClockThatWasSetBack) {
  ExpiryWarning warning;
  EXPECT_TRUE(warning.look(kEndS, kEndS - 2 * kDayS));
  EXPECT_FALSE(warning.look(kEndS, kEndS - 2 * kDayS + 1));
  warning.begin();
  EXPECT_TRUE(warning.look(kEndS, kEndS - 2 * kDayS + 2));
  EXPECT_TRUE(warning.look(kEndS, kEndS - 5 * kDayS));
}

}  // namespace
}  // namespace tickwire
