#include "net/connection_gate.h"

#include <gtest/gtest.h>

#include <vector>

namespace tickwire {
namespace {

const PeerAddress kGreedy = PeerAddress::of_ipv4(1);
const PeerAddress kOther = PeerAddress::of_ipv4(2);

TEST(ConnectionGate, TakesAsManyAsItsLimitAndAgainWhenOneHasLeft) {
  ConnectionGate gate({.total = 2});
  std::vector<Share> seats(3);
  EXPECT_FALSE(gate.enter(kGreedy, 0, seats[0]));
  EXPECT_FALSE(gate.enter(kOther, 0, seats[1]));
  EXPECT_EQ(gate.enter(kOther, 0, seats[2]), Limit::kConnections);
  seats[0].release();
  EXPECT_FALSE(gate.enter(kOther, 0, seats[2]));
}

TEST(ConnectionGate, OneAddressHasItsPartAndThisMachineIsExempt) {
  ConnectionGate gate({.total = 10, .per_address = 1});
  std::vector<Share> seats(5);
  EXPECT_FALSE(gate.enter(kGreedy, 0, seats[0]));
  EXPECT_EQ(gate.enter(kGreedy, 0, seats[1]), Limit::kConnectionsPerAddress);
  EXPECT_FALSE(gate.enter(kOther, 0, seats[1]));
  EXPECT_FALSE(gate.enter(PeerAddress{}, 0, seats[2]));
  EXPECT_FALSE(gate.enter(PeerAddress{}, 0, seats[3]));
}

TEST(ConnectionGate, NewConnectionsOfAnAddressComeAtItsRate) {
  ConnectionGate gate({.total = 1'000, .new_connections = {3}});
  Share seat;
  for (int i = 0; i < 3 * kBurstSeconds; ++i) EXPECT_FALSE(gate.enter(kGreedy, 0, seat)) << i;
  EXPECT_EQ(gate.enter(kGreedy, 0, seat), Limit::kNewConnections);
  EXPECT_FALSE(gate.enter(kOther, 0, seat));
  EXPECT_FALSE(gate.enter(kGreedy, 400'000, seat)) << "a third of a second later one more";
}

TEST(ConnectionGate, WithoutANumberTakesWhatDescriptorsAllow) {
  ConnectionGate gate({});
  Share seat;
  for (int i = 0; i < 10'000; ++i) ASSERT_FALSE(gate.enter(kGreedy, 0, seat));
}

}  // namespace
}  // namespace tickwire
