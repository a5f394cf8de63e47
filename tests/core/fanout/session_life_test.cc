#include "plant.h"

namespace tickwire {
namespace {

TEST(Session, IsGreetedAndKeptAliveInBand) {
  Plant plant;
  Client client(plant);
  const auto welcome = client.socket.take().at(0);
  EXPECT_EQ(welcome["epoch"], "e1");
  EXPECT_EQ(welcome["session"], "0-1");
  plant.clock.advance_ms(14'999);
  plant.shard.tick();
  EXPECT_TRUE(client.heard().empty());
  plant.clock.advance_ms(1);
  plant.shard.tick();
  EXPECT_EQ(client.heard(), (Lines{"heartbeat"}));
}

TEST(Session, ErrorsKeepTheConnection) {
  Plant plant;
  Client client(plant);
  client.say("nonsense");
  client.say(R"({"type":"ping","id":1})");
  EXPECT_EQ(client.heard(), (Lines{"welcome", "error", "pong"}));
}

TEST(Session, DrainIsSaidSpreadAndFollowedByTheClose) {
  Plant plant;
  Client one(plant);
  Client two(plant);
  two.subscribe("a");
  plant.shard.drain(1000);
  EXPECT_EQ(one.socket.take().back()["reconnect_after_ms"], 0);
  EXPECT_EQ(two.socket.take().back()["reconnect_after_ms"], 500);
  EXPECT_EQ(two.socket.close_code, 4001);
  plant.publish("a", "{}");
  two.say(R"({"type":"ping"})");
  plant.run();
  EXPECT_TRUE(two.heard().empty());
}

TEST(Session, OneWhosePeerIsGoneIsNotWrittenToAgain) {
  Plant plant;
  Client client(plant);
  client.subscribe("a");
  client.socket.gone = true;
  plant.publish("a", "{}");
  plant.run();
  const int writes = client.socket.writes;
  plant.publish("a", "{}");
  plant.run();
  EXPECT_EQ(client.socket.writes, writes);
}

TEST(Session, LeavesNoInterestBehind) {
  Plant plant;
  plant.publish("t.a", "{}");
  {
    Client client(plant);
    client.say(R"({"type":"subscribe","topics":["t.a","t.*","u.nothing-yet"]})");
    EXPECT_EQ(plant.hub.topic_count(), 2U);
    EXPECT_EQ(plant.shard.stats().subscriptions, 3U);
  }
  EXPECT_EQ(plant.hub.topic_count(), 1U) << "a topic nobody published to goes with its last subscriber";
  EXPECT_EQ(plant.shard.stats().subscriptions, 0U);
  EXPECT_NE(plant.hub.find_topic("t.a")->describe().find("sinks=0"), std::string::npos);
}

TEST(Turn, IsSpacedByWhatTheLastOneCost) {
  Plant plant;
  Client client(plant);
  client.subscribe("a");
  plant.publish("a", "{}");
  EXPECT_LT(plant.shard.run(), 0) << "idle: at once, and then at rest";
  EXPECT_EQ(plant.shard.stats().turns, 1U);
}

TEST(Session, ADrainReachesAlsoOneWhoseSocketIsFull) {
  Plant plant;
  Client client(plant);
  client.block();
  client.say(R"({"type":"ping"})");
  ASSERT_TRUE(client.socket.blocked);
  client.heard();
  plant.shard.drain(0);
  EXPECT_EQ(client.heard(), Lines{"drain"});
  EXPECT_EQ(client.socket.close_code, static_cast<int>(CloseCode::kDrain));
}

}  // namespace
}  // namespace tickwire
