#include "access/revocations.h"

#include <gtest/gtest.h>

#include <string>

namespace tickwire {
namespace {

constexpr std::int64_t kNowMs = 1'800'000'000'000;
constexpr std::int64_t kLifeMs = 60'000;
constexpr double kNowS = 1'800'000'000;

TEST(Revocations, RefuseWhatWasIssuedAtOrBeforeTheirMomentAndWhatDoesNotSay) {
  Revocations revocations(kLifeMs);
  ASSERT_TRUE(revocations.add({"mia", kNowMs}, kNowMs));
  EXPECT_TRUE(revocations.refuses("mia", kNowS - 1, kNowMs));
  EXPECT_TRUE(revocations.refuses("mia", kNowS, kNowMs));
  EXPECT_TRUE(revocations.refuses("mia", std::nullopt, kNowMs + kLifeMs - 1));
  EXPECT_FALSE(revocations.refuses("mia", kNowS + 0.001, kNowMs));
  EXPECT_FALSE(revocations.refuses("paul", kNowS, kNowMs));
}

TEST(Revocations, AreForgottenWhenEveryTokenHasExpired) {
  Revocations revocations(kLifeMs);
  ASSERT_TRUE(revocations.add({"mia", kNowMs}, kNowMs));
  EXPECT_EQ(revocations.until_ms(kNowMs), kNowMs + kLifeMs);
  EXPECT_TRUE(revocations.refuses("mia", kNowS, kNowMs + kLifeMs - 1));
  EXPECT_FALSE(revocations.refuses("mia", kNowS, kNowMs + kLifeMs));
  revocations.set_life_ms(2 * kLifeMs);
  EXPECT_TRUE(revocations.refuses("mia", kNowS, kNowMs + kLifeMs)) << "tokens may live longer now";
  ASSERT_TRUE(revocations.add({"paul", kNowMs + 2 * kLifeMs}, kNowMs + 2 * kLifeMs));
  EXPECT_EQ(revocations.size(), 1U);
}

TEST(Revocations, TheLatestOfASubjectCounts) {
  Revocations revocations(kLifeMs);
  ASSERT_TRUE(revocations.add({"mia", kNowMs}, kNowMs));
  ASSERT_TRUE(revocations.add({"mia", kNowMs + 5'000}, kNowMs + 5'000));
  ASSERT_TRUE(revocations.add({"mia", kNowMs + 2'000}, kNowMs + 5'000)) << "a clock was set back";
  EXPECT_EQ(revocations.size(), 1U);
  EXPECT_TRUE(revocations.refuses("mia", kNowS + 5, kNowMs + kLifeMs));
  EXPECT_FALSE(revocations.refuses("mia", kNowS + 6, kNowMs + kLifeMs));
  EXPECT_TRUE(revocations.revoked_since("mia", kNowMs + 5'000));
  EXPECT_FALSE(revocations.revoked_since("mia", kNowMs + 5'001));
  EXPECT_FALSE(revocations.revoked_since("paul", 0));
}

TEST(Revocations, TheirNumberIsBounded) {
  Revocations revocations(kLifeMs);
  for (std::size_t i = 0; i < kRevocationsMax; ++i) {
    ASSERT_TRUE(revocations.add({std::to_string(i), kNowMs}, kNowMs));
  }
  const Status past = revocations.add({"one more", kNowMs}, kNowMs);
  ASSERT_FALSE(past);
  EXPECT_EQ(past.error().code, ErrorCode::kTooMany);
  EXPECT_EQ(past.error().limit, Limit::kRevocations);
  EXPECT_TRUE(revocations.add({"7", kNowMs + 1}, kNowMs + 1)) << "it is there already";
  EXPECT_TRUE(revocations.add({"one more", kNowMs + kLifeMs}, kNowMs + kLifeMs)) << "the others are over";
  EXPECT_EQ(revocations.size(), 2U);
}

TEST(Revocations, TellTheStoreWhatIsNew) {
  Revocations revocations(kLifeMs);
  ASSERT_TRUE(revocations.restore({"old", kNowMs - 1'000}, kNowMs));
  EXPECT_TRUE(revocations.take_new().empty());
  EXPECT_TRUE(revocations.refuses("old", kNowS - 2, kNowMs));
  ASSERT_TRUE(revocations.add({"mia", kNowMs}, kNowMs));
  const auto added = revocations.take_new();
  ASSERT_EQ(added.size(), 1U);
  EXPECT_EQ(added[0].subject, "mia");
  EXPECT_EQ(added[0].at_ms, kNowMs);
  EXPECT_TRUE(revocations.take_new().empty());
  EXPECT_EQ(revocations.take_all().size(), 2U);
  EXPECT_EQ(revocations.forgotten_until_ms(kNowMs), kNowMs - kLifeMs);
}

}  // namespace
}  // namespace tickwire
