#include "base/shares.h"

#include <gtest/gtest.h>

#include <random>
#include <thread>
#include <vector>

namespace tickwire {
namespace {

constexpr ShareNames kNames{Limit::kUnread, Limit::kUnreadPerAddress, Limit::kUnreadPerConnection};
const PeerAddress kLocal{};
const PeerAddress kAnn = PeerAddress::of_ipv4(0xC000'0201);  // 192.0.2.1
const PeerAddress kBob = PeerAddress::of_ipv4(0xC000'0202);

TEST(Shares, AHolderGetsItsLimitAndNotOneMore) {
  Shares shares({100, 50, 10}, kNames);
  Share share(shares, kAnn);
  EXPECT_FALSE(share.resize(10));
  EXPECT_EQ(share.resize(11), kNames.per_holder);
  EXPECT_EQ(share.held(), 10U);
  EXPECT_EQ(shares.held(), 10U);
}

TEST(Shares, AnAddressGetsItsLimitAndLeavesTheRestToOthers) {
  Shares shares({100, 20, 10}, kNames);
  Share first(shares, kAnn);
  Share second(shares, kAnn);
  Share third(shares, kAnn);
  EXPECT_FALSE(first.resize(10));
  EXPECT_FALSE(second.resize(10));
  EXPECT_EQ(third.resize(1), kNames.per_address);
  EXPECT_EQ(shares.held_by(kAnn), 20U);
  Share other(shares, kBob);
  EXPECT_FALSE(other.resize(10));
  first.release();
  EXPECT_FALSE(third.resize(10));
}

TEST(Shares, ThisMachineHasNoLimitByAddressButTheOtherTwo) {
  Shares shares({30, 10, 10}, kNames);
  std::vector<Share> local;
  for (int i = 0; i < 3; ++i) {
    local.emplace_back(shares, kLocal);
    EXPECT_EQ(local.back().resize(11), kNames.per_holder);
    EXPECT_FALSE(local.back().resize(10));
  }
  Share late(shares, kLocal);
  EXPECT_EQ(late.resize(1), kNames.total);
  EXPECT_EQ(shares.held_by(kLocal), 0U);
}

TEST(Shares, LessIsAlwaysTakenAndARefusalChangesNothing) {
  Shares shares({10, 10, 10}, kNames);
  Share share(shares, kAnn);
  Share other(shares, kBob);
  EXPECT_FALSE(share.resize(8));
  EXPECT_EQ(other.resize(3), kNames.total);
  EXPECT_EQ(other.held(), 0U);
  EXPECT_FALSE(share.resize(7));
  EXPECT_FALSE(other.resize(3));
  EXPECT_EQ(share.resize(8), kNames.total);
  EXPECT_FALSE(share.resize(0));
  EXPECT_EQ(shares.held(), 3U);
}

TEST(Shares, AHolderThatEndsOrMovesGivesBackOnce) {
  Shares shares({10, 10, 10}, kNames);
  {
    Share share(shares, kAnn);
    EXPECT_FALSE(share.resize(4));
    Share moved(std::move(share));
    EXPECT_EQ(moved.held(), 4U);
    Share assigned(shares, kBob);
    EXPECT_FALSE(assigned.resize(5));
    assigned = std::move(moved);
    EXPECT_EQ(shares.held(), 4U);
  }
  EXPECT_EQ(shares.held(), 0U);
  EXPECT_EQ(shares.held_by(kAnn), 0U);
}

TEST(Shares, AHugeAmountDoesNotWrapAround) {
  Shares shares({10, 10, SIZE_MAX}, kNames);
  Share share(shares, kAnn);
  EXPECT_FALSE(share.resize(1));
  EXPECT_EQ(share.resize(SIZE_MAX), kNames.total);
  EXPECT_EQ(share.held(), 1U);
}

TEST(Shares, WhatIsHeldIsTheSumOfTheHoldersWhateverTheyDoAtTheSameTime) {
  Shares shares({1'000, 400, 100}, kNames);
  std::vector<std::thread> threads;
  for (unsigned seed = 0; seed < 4; ++seed) {
    threads.emplace_back([&shares, seed] {
      std::minstd_rand random(seed + 1);
      std::vector<Share> mine;
      for (int i = 0; i < 16; ++i) mine.emplace_back(shares, i % 3 == 0 ? kLocal : i % 3 == 1 ? kAnn : kBob);
      for (int i = 0; i < 5'000; ++i) {
        Share& share = mine[random() % mine.size()];
        (void)share.resize(random() % 110);
        EXPECT_LE(shares.held(), 1'000U);
        EXPECT_LE(shares.held_by(kAnn), 400U);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(shares.held(), 0U);
}

TEST(Shares, AnIpv6NetworkIsNoIpv4Address) {
  EXPECT_FALSE(PeerAddress::of_ipv6_network(0x2001'0DB8'0000'0001) == kAnn);
  EXPECT_TRUE(PeerAddress::of_ipv6_network(0).exempt());
  EXPECT_FALSE(PeerAddress::of_ipv4(0).exempt());
}

}  // namespace
}  // namespace tickwire
