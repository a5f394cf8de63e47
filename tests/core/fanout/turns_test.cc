// What a shard does for others between two looks at its sockets is bounded, in time or in steps.
#include <string>
#include <vector>

#include "base/work.h"
#include "issuer.h"
#include "plant.h"

namespace tickwire {
namespace {

TEST(Turns, WhatOthersPostedLeavesTheClientsTheirTurn) {
  Plant plant;
  int called = 0;
  for (int i = 0; i < 10; ++i) {
    plant.shard.post([&] {
      ++called;
      plant.clock.advance_ms(1);
    });
  }
  EXPECT_EQ(plant.shard.run(), 0) << "more waits";
  EXPECT_EQ(called, 2) << "for 2 ms";
  EXPECT_TRUE(plant.shard.draining());
  plant.shard.post([&] { EXPECT_EQ(called, 10) << "in the order in which they were posted"; });
  for (int runs = 0; called < 10 && runs < 10; ++runs) plant.shard.run();
  EXPECT_EQ(called, 10);
  plant.shard.run();
  EXPECT_FALSE(plant.shard.draining());
}

TEST(Turns, AReadByATokenOfManyPatternsIsAdmittedInPieces) {
  constexpr std::size_t kTopics = 3'000;
  TokenVerifier verifier(issuer_rules());
  ShardConfig config;
  config.tokens = &verifier;
  Plant plant(config);
  plant.access.tokens = true;
  std::vector<std::string> patterns, topics;
  for (int i = 0; i < 300; ++i) patterns.push_back("p" + std::to_string(i) + ".*");
  for (std::size_t i = 0; i < kTopics; ++i) topics.push_back("x." + std::to_string(i));
  Client client(plant);
  client.say(auth(issuer().token(
      nlohmann::json{{"exp", plant.clock.wall_ms() / 1'000 + 60}, {"tickwire", {{"subscribe", patterns}}}})));
  bool decided = false;
  const std::uint64_t before = Work::done();
  plant.shard.read(*client.session, false, topics, [&](Session&, const Admission::Outcome& outcome) {
    decided = true;
    EXPECT_EQ(outcome.decisions.size(), kTopics);
  });
  EXPECT_LE(Work::done() - before, 2 * kPieceSteps);
  EXPECT_FALSE(decided);
  plant.run();
  EXPECT_TRUE(decided);
}

}  // namespace
}  // namespace tickwire
