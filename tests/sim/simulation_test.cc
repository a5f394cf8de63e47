#include "simulation.h"

#include <gtest/gtest.h>

#include <array>
#include <ostream>
#include <string_view>

#include "model/keyed_hash.h"

namespace tickwire::sim {

// Where GoogleTest finds it: in the namespace of its argument.
static void PrintTo(Mutation mutation, std::ostream* out) {
  constexpr std::array<std::string_view, 6> kNames{"None",      "SkipSeq", "StaleImage",
                                                   "LoseFlush", "Repeat",  "CursorAhead"};
  *out << kNames.at(static_cast<std::size_t>(mutation));
}

namespace {

// So that what a test finds once it finds always.
const bool kHashKeyIsKnown = (set_hash_key({}), true);

Totals run(std::uint64_t seed, Mutation mutation, int steps = 5'000) {
  Simulation simulation(seed, mutation);
  for (int i = 1; i <= steps; ++i) {
    simulation.step();
    if (i % 500 == 0) simulation.settle();
  }
  return simulation.totals();
}

TEST(Simulation, MeetsWhatItIsAboutAndFindsNoViolation) {
  Totals all;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Totals one;
    ASSERT_NO_THROW(one = run(seed, Mutation::kNone));
    all.messages += one.messages, all.gaps += one.gaps, all.resumes += one.resumes;
    all.restarts += one.restarts, all.crashes += one.crashes, all.cuts += one.cuts;
    all.overruns += one.overruns, all.cursors += one.cursors, all.polls += one.polls;
  }
  EXPECT_GT(all.messages, 100'000U);
  EXPECT_GT(all.gaps, 100U);
  EXPECT_GT(all.resumes, 1'000U);
  EXPECT_GT(all.cursors, 1'000U);
  EXPECT_GT(all.polls, 1'000U);
  EXPECT_GT(all.restarts, 20U);
  EXPECT_GT(all.crashes, 20U);
  EXPECT_GT(all.overruns, 20U);
  EXPECT_GT(all.cuts, 100U);
}

TEST(Simulation, TheSameSeedDoesTheSame) {
  const Totals first = run(7, Mutation::kNone);
  const Totals second = run(7, Mutation::kNone);
  EXPECT_EQ(first.messages, second.messages);
  EXPECT_EQ(first.gaps, second.gaps);
}

struct Mutations : testing::TestWithParam<Mutation> {};

// A check that nothing can fail proves nothing.
TEST_P(Mutations, AreCaught) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) EXPECT_THROW(run(seed, GetParam(), 60'000), Violation);
}

INSTANTIATE_TEST_SUITE_P(EachPromise, Mutations,
                         testing::Values(Mutation::kSkipSeq, Mutation::kRepeat, Mutation::kStaleImage,
                                         Mutation::kLoseFlush, Mutation::kCursorAhead),
                         [](const auto& info) { return testing::PrintToString(info.param); });

}  // namespace
}  // namespace tickwire::sim
