#include "plant.h"

namespace tickwire {
namespace {

// Every turn costs what its one write costs.
struct TurnSpacing : testing::Test {
  void SetUp() override {
    client.subscribe("t.a");
    plant.run();
    client.heard();
  }
  void publish() { plant.publish("t.a", R"({"n":1})"); }
  void turn_costs(std::int64_t ms) {
    client.socket.on_write = [this, ms] { plant.clock.advance_ms(ms); };
  }

  Plant plant;
  Client client{plant};
};

TEST_F(TurnSpacing, AnIdleShardIsWokenAndTurnsAtOnce) {
  const int wakes = plant.wakes;
  publish();
  EXPECT_EQ(plant.wakes, wakes + 1);
  plant.shard.run();
  EXPECT_EQ(client.heard(), Lines{"update t.a 1"});
}

TEST_F(TurnSpacing, TurnsTakeTheirShareOfTheTimeAndNoMore) {
  turn_costs(7);
  publish();
  EXPECT_EQ(plant.shard.run(), 3000);  // 0.7 of 10 ms
  client.heard();
  publish();
  plant.clock.advance_ms(2);
  EXPECT_EQ(plant.shard.run(), 1000);
  EXPECT_EQ(client.heard(), Lines{});
  plant.clock.advance_ms(1);
  plant.shard.run();
  EXPECT_EQ(client.heard(), Lines{"update t.a 2"});
}

TEST_F(TurnSpacing, WhatWaitsForATurnLeavesInOneWrite) {
  turn_costs(7);
  publish();
  plant.shard.run();
  const int writes = client.socket.writes;
  for (int i = 0; i < 5; ++i) publish();
  plant.run();
  EXPECT_EQ(client.socket.writes, writes + 1);
}

TEST_F(TurnSpacing, ACostlyTurnIsFollowedByTheNextWithinTheCap) {
  turn_costs(1000);
  publish();
  EXPECT_EQ(plant.shard.run(), ShardConfig{}.turn_spacing_us_max);
}

TEST_F(TurnSpacing, PublishersDoNotWakeAShardThatIsGoingToTurnAnyway) {
  turn_costs(7);
  publish();
  plant.shard.run();
  const int wakes = plant.wakes;
  for (int i = 0; i < 5; ++i) publish();
  EXPECT_EQ(plant.wakes, wakes);
  plant.run();
  publish();
  EXPECT_EQ(plant.wakes, wakes + 1) << "it has come to rest";
}

}  // namespace
}  // namespace tickwire
