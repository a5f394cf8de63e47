#include "base/token_bucket.h"

#include <gtest/gtest.h>

#include "base/address_rates.h"

namespace tickwire {
namespace {

constexpr Rate kTen{10};
constexpr auto kFree = TokenBucket::Refused::kFree;
constexpr auto kCharged = TokenBucket::Refused::kCharged;

TEST(TokenBucket, GivesABurstAtOnceAndNotOneMore) {
  TokenBucket bucket;
  for (int i = 0; i < 10 * kBurstSeconds; ++i) EXPECT_TRUE(bucket.take(kTen, 1'000, kFree).ok()) << i;
  EXPECT_FALSE(bucket.take(kTen, 1'000, kFree).ok());
}

TEST(TokenBucket, WhoWaitsAsLongAsItIsToldGoesOn) {
  for (const auto refused : {kFree, kCharged}) {
    TokenBucket bucket;
    std::int64_t now = 1'000;
    while (bucket.take(kTen, now, refused).ok()) continue;
    for (int i = 0; i < 5; ++i) {
      const auto again = bucket.take(kTen, now, refused);
      ASSERT_FALSE(again.ok());
      now += again.wait_us;
      EXPECT_TRUE(bucket.take(kTen, now, refused).ok());
    }
  }
}

TEST(TokenBucket, WhoDoesNotWaitIsAbusingItAfterAsManyAgain) {
  TokenBucket bucket;
  for (int i = 0; i < 10 * kBurstSeconds; ++i) static_cast<void>(bucket.take(kTen, 0, kCharged));
  for (int i = 0; i < 10 * kBurstSeconds; ++i) EXPECT_FALSE(bucket.take(kTen, 0, kCharged).abused) << i;
  EXPECT_TRUE(bucket.take(kTen, 0, kCharged).abused);
}

TEST(TokenBucket, WithoutARateGivesAll) {
  TokenBucket bucket;
  for (int i = 0; i < 100'000; ++i) ASSERT_TRUE(bucket.take({}, 0, kCharged).ok());
}

TEST(AddressRates, CountsEachAddressByItselfAndThisMachineNotAtAll) {
  AddressRates rates(Rate{1});
  const PeerAddress greedy = PeerAddress::of_ipv4(1);
  for (int i = 0; i < kBurstSeconds; ++i) EXPECT_TRUE(rates.take(greedy, 0).ok());
  EXPECT_FALSE(rates.take(greedy, 0).ok());
  EXPECT_TRUE(rates.take(PeerAddress::of_ipv4(2), 0).ok());
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(rates.take(PeerAddress{}, 0).ok());
}

TEST(AddressRates, ForgetsAddressesThatAreQuietAgain) {
  AddressRates rates(Rate{1});
  for (std::uint32_t i = 1; i <= 1'000; ++i) static_cast<void>(rates.take(PeerAddress::of_ipv4(i), 0));
  EXPECT_EQ(rates.size(), 1'000U);
  const std::int64_t later = 10'000'000;
  for (std::uint32_t i = 1; i <= 1'000; ++i)
    static_cast<void>(rates.take(PeerAddress::of_ipv4(5'000), later));
  EXPECT_EQ(rates.size(), 1U);
}

}  // namespace
}  // namespace tickwire
