#include <gtest/gtest.h>

#include <iostream>

#include "cluster_sim.h"
#include "model/keyed_hash.h"

namespace tickwire::sim {
namespace {

// So that what a test finds once it finds always.
const bool kClusterHashKeyIsKnown = (set_hash_key({}), true);

ClusterTotals run_cluster(std::uint64_t seed, const Faults& faults, int steps) {
  ClusterSim sim(seed, faults);
  for (int i = 1; i <= steps; ++i) {
    sim.step();
    if (i % 1'000 == 0) sim.settle();
  }
  return sim.totals();
}

TEST(ClusterSimulation, MeetsWhatItIsAboutAndFindsNoViolation) {
  ClusterTotals all;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    ClusterTotals one;
    ASSERT_NO_THROW(one = run_cluster(seed, {}, 5'000));
    all.messages += one.messages, all.snapshots += one.snapshots, all.gaps += one.gaps;
    all.recovered += one.recovered, all.lost += one.lost, all.epochs += one.epochs;
    all.taken += one.taken, all.refused += one.refused, all.reloads += one.reloads;
    all.seeds += one.seeds, all.fenced += one.fenced, all.tails += one.tails, all.crashes += one.crashes;
  }
  EXPECT_GT(all.messages, 50'000U);
  EXPECT_GT(all.gaps, 10U);
  EXPECT_GT(all.recovered, 500U);
  EXPECT_GT(all.lost, 100U);
  EXPECT_GT(all.epochs, 100U);
  EXPECT_GT(all.taken, 5'000U);
  EXPECT_GT(all.refused, 100U);
  EXPECT_GT(all.reloads, 100U);
  EXPECT_GT(all.seeds, 20U);
  EXPECT_GT(all.fenced, 50U);
  EXPECT_GT(all.tails, 50U);
  EXPECT_GT(all.crashes, 20U);
}

// A guard that can be left out without anybody noticing is not needed, or not tested.
void expect_noticed(const Faults& faults) {
  int noticed = 0;
  for (std::uint64_t seed = 1; seed <= 10 && noticed == 0; ++seed) {
    try {
      run_cluster(seed, faults, 10'000);
    } catch (const Violation& violation) {
      std::cout << "noticed: " << violation.what() << "\n";
      ++noticed;
    }
  }
  EXPECT_GT(noticed, 0);
}

TEST(ClusterSimulation, NoticesAnEngineThatIsTakenForTheOneBefore) {
  expect_noticed({.guards = {.token = false}, .unguarded = {}});
}
TEST(ClusterSimulation, NoticesAReaderThatDoesNotLookAtTheEntryBefore) {
  expect_noticed({.guards = {}, .unguarded = {.chain = true}});
}
TEST(ClusterSimulation, NoticesABatchThatIsTakenTwice) {
  expect_noticed({.guards = {.dedup = false}, .unguarded = {}});
}
TEST(ClusterSimulation, NoticesATableThatIsOverwrittenByANodeThatIsBehind) {
  expect_noticed({.guards = {.checkpoint = false}, .unguarded = {}});
}

}  // namespace
}  // namespace tickwire::sim
