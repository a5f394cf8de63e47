#include <algorithm>
#include <cstdint>
#include <deque>
#include <vector>

#include "fanout/keep_alive.h"
#include "plant.h"

namespace tickwire {
namespace {

TEST(Session, IsGreetedAndKeptAliveInBand) {
  Plant plant;
  Client client(plant);
  const auto welcome = client.socket.take().at(0);
  EXPECT_EQ(welcome["epoch"], "e1");
  EXPECT_EQ(welcome["session"], "0-1");
  plant.clock.advance_ms(11'200);
  plant.shard.tick();
  EXPECT_TRUE(client.heard().empty());
  plant.clock.advance_ms(3'800);
  plant.shard.tick();
  EXPECT_EQ(client.heard(), (Lines{"heartbeat"}));
}

// When heartbeats came in the next `until_ms`, in milliseconds from now.
std::vector<std::int64_t> heartbeat_times(Plant& plant, std::deque<Client>& clients, std::int64_t until_ms) {
  std::vector<std::int64_t> times;
  const std::int64_t from_us = plant.clock.steady_us();
  while (plant.clock.steady_us() < from_us + until_ms * 1000) {
    const std::int64_t wait_us = plant.shard.next_tick_us() - plant.clock.steady_us();
    plant.clock.advance_ms(std::max<std::int64_t>((wait_us + 999) / 1000, 0));
    plant.shard.tick();
    for (Client& client : clients) {
      for (const std::string& line : client.heard()) {
        EXPECT_EQ(line, "heartbeat");
        times.push_back((plant.clock.steady_us() - from_us) / 1000);
      }
    }
  }
  return times;
}

TEST(Heartbeats, OfClientsThatConnectedTogetherDoNotLeaveTogether) {
  Plant plant;
  std::deque<Client> clients;
  for (int i = 0; i < 500; ++i) clients.emplace_back(plant).heard();
  const std::vector<std::int64_t> times = heartbeat_times(plant, clients, 15'000);
  ASSERT_GE(times.size(), clients.size());
  EXPECT_GE(times.front(), 11'200);
  std::size_t in_a_half_second = 0;
  for (const std::int64_t time : times) {
    const auto near =
        std::ranges::count_if(times, [&](auto other) { return other >= time && other < time + 500; });
    in_a_half_second = std::max(in_a_half_second, static_cast<std::size_t>(near));
  }
  EXPECT_LT(in_a_half_second, clients.size() / 4) << "of 3.75 s";
}

TEST(Heartbeats, LeaveABoundedNumberAtOnceAlsoWhereAllAreDue) {
  Plant plant;
  std::deque<Client> clients;
  for (int i = 0; i < 500; ++i) clients.emplace_back(plant).heard();
  plant.clock.advance_ms(20'000);
  std::size_t sent = 0;
  for (int ticks = 1; ticks <= 8; ++ticks) {
    EXPECT_LE(plant.shard.next_tick_us(), plant.clock.steady_us());
    plant.shard.tick();
    std::size_t now = 0;
    for (Client& client : clients) now += client.heard().size();
    EXPECT_LE(now, static_cast<std::size_t>(kHeartbeatsPerRunMax));
    sent += now;
  }
  EXPECT_EQ(sent, clients.size());
  EXPECT_GT(plant.shard.next_tick_us(), plant.clock.steady_us());
}

TEST(Heartbeats, AreNotSentWhereSomethingElseWas) {
  Plant plant;
  Client client(plant);
  client.subscribe("a");
  client.heard();
  for (int i = 0; i < 30; ++i) {
    plant.clock.advance_ms(3'000);
    plant.publish("a", "{}");
    plant.shard.run();
    plant.shard.tick();
    EXPECT_EQ(client.heard().size(), 1U) << i;
  }
}

TEST(Heartbeats, NobodyIsLookedAtBeforeItsTimeOrAfterItsEnd) {
  Plant plant;
  EXPECT_EQ(plant.shard.next_tick_us(), -1);
  {
    Client client(plant);
    EXPECT_GT(plant.shard.next_tick_us(), plant.clock.steady_us());
  }
  plant.run();
  EXPECT_EQ(plant.shard.next_tick_us(), -1);
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
  plant.hub.sweep();
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
