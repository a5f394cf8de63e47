#include "fanout/inbox.h"

#include <gtest/gtest.h>

#include <vector>

#include "plant.h"

namespace tickwire {
namespace {

TEST(Inbox, TakesAsManyAsItsLimitSaysAndSaysThatOneMoreWasLeftOut) {
  FakeClock clock;
  Hub hub(clock, {});
  const UpdatePtr update = *hub.publish("a", "{}");
  Inbox inbox([] {}, 3);
  InboxBatch taken;
  for (int i = 0; i < 3; ++i) inbox.deliver(update);
  inbox.take(taken);
  EXPECT_FALSE(taken.overrun) << "at the limit";
  EXPECT_EQ(taken.updates.size(), 3U);
  taken.clear();
  for (int i = 0; i < 4; ++i) inbox.deliver(update);
  inbox.take(taken);
  EXPECT_TRUE(taken.overrun) << "one past it";
  EXPECT_EQ(taken.updates.size(), 3U);
  taken.clear();
  inbox.take(taken);
  EXPECT_TRUE(taken.empty()) << "said once";
}

TEST(Inbox, KeepsTheEpochsPlaceAmongTheUpdatesAlsoWhenItIsFull) {
  FakeClock clock;
  Hub hub(clock, {});
  Inbox inbox([] {}, 2);
  const SinkId sink = hub.add_sink(inbox);
  ASSERT_TRUE(hub.add_interest(sink, "a"));
  hub.set_epoch("e1");
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(hub.publish("a", "{}"));
  hub.set_epoch("e2");
  ASSERT_TRUE(hub.publish("a", "{}"));
  hub.set_epoch("e3");
  InboxBatch taken;
  inbox.take(taken);
  ASSERT_EQ(taken.epochs.size(), 3U);
  EXPECT_EQ(taken.epochs[0].name, "e1");
  EXPECT_EQ(taken.epochs[0].place, 0U);
  EXPECT_EQ(taken.epochs[1].name, "e2");
  EXPECT_EQ(taken.epochs[1].place, 2U);
  EXPECT_EQ(taken.epochs[2].name, "e3");
  EXPECT_EQ(taken.updates.size(), 2U);
  EXPECT_TRUE(taken.overrun);
  hub.remove_sink(sink);
}

TEST(Epoch, IsTheShardsOnceItHasAppliedWhatCameBefore) {
  Plant plant;
  Client early(plant);
  early.subscribe("t.a");
  plant.publish("t.a", "{}");
  plant.hub.set_epoch("e2");
  Client before(plant);
  EXPECT_EQ(before.socket.take().at(0)["epoch"], "e1") << "t.a's update of e1 is on its way";
  EXPECT_FALSE(plant.hub.epoch_is_reached());
  plant.run();
  EXPECT_TRUE(plant.hub.epoch_is_reached());
  Client after(plant);
  EXPECT_EQ(after.socket.take().at(0)["epoch"], "e2");
  after.say(R"({"type":"subscribe","topics":["t.a"],"epoch":"e0","since":{"t.a":1}})");
  EXPECT_EQ(after.socket.take().at(0)["results"][0]["recovered"], false) << "of another history";
}

TEST(Epoch, IsToldBetweenTheUpdatesOfTheOneBeforeAndItsOwn) {
  Plant plant;
  Client client(plant);
  Client quiet(plant);
  client.subscribe("t.a");
  plant.run();
  client.socket.take();
  quiet.socket.take();
  plant.publish("t.a", R"({"n":1})");
  plant.hub.set_epoch("e2");
  plant.publish("t.a", R"({"n":2})");
  plant.run();
  const auto told = client.socket.take();
  ASSERT_EQ(told.size(), 3U);
  EXPECT_EQ(told[0]["seq"], 1);
  EXPECT_EQ(told[1]["type"], "epoch");
  EXPECT_EQ(told[1]["epoch"], "e2");
  EXPECT_EQ(told[2]["seq"], 2);
  const auto only = quiet.socket.take();
  ASSERT_EQ(only.size(), 1U);
  EXPECT_EQ(only[0]["epoch"], "e2");
}

TEST(Epoch, AClientGoesOnFromTheOneBeforeUpToWhereThatEnded) {
  Plant plant;
  for (int i = 0; i < 3; ++i) plant.publish("t.a", "{}");
  plant.hub.set_epoch("e2");
  plant.publish("t.a", "{}");
  plant.run();
  const auto resume = [&plant](int since) {
    Client client(plant);
    client.socket.take();
    client.say(R"({"type":"subscribe","topics":["t.a"],"epoch":"e1","since":{"t.a":)" +
               std::to_string(since) + "}}");
    plant.run();
    return client.socket.take();
  };
  const auto at_its_end = resume(3);
  EXPECT_EQ(at_its_end.at(0)["results"][0]["recovered"], true);
  EXPECT_EQ(at_its_end.at(1)["type"], "update");
  EXPECT_EQ(at_its_end.at(1)["seq"], 4);
  const auto past_it = resume(4);
  EXPECT_EQ(past_it.at(0)["results"][0]["recovered"], false) << "4 was something else in e1";
  EXPECT_EQ(past_it.at(1)["type"], "snapshot");
}

// Both at once: value topics skip states, events come from the ring.
TEST(Overrun, CostsStatesInBetweenAndNoEvent) {
  ShardConfig config;
  config.inbox_updates_max = 2;
  Plant plant(config, {{.pattern = "e.>", .delivery = Delivery::kEvent, .ring = 4}});
  Client exact(plant), pattern(plant);
  exact.subscribe("v.a");
  exact.subscribe("e.a");
  pattern.subscribe(">");
  plant.publish("v.a", R"({"n":1})");
  plant.publish("e.a", R"({"n":1})");
  plant.run();
  exact.heard(), pattern.heard();
  for (int n = 2; n < 6; ++n) {
    plant.publish("v.a", R"({"n":)" + std::to_string(n) + "}");
    plant.publish("e.a", R"({"n":)" + std::to_string(n) + "}");
  }
  plant.publish("v.new", R"({"n":1})");
  plant.run();
  const Lines news{"update v.a 2", "update e.a 2", "snapshot v.a 5",
                   "update e.a 3", "update e.a 4", "update e.a 5"};
  for (Client* client : {&exact, &pattern}) {
    const Lines heard = client->heard();
    for (const std::string& line : news)
      EXPECT_EQ(std::count(heard.begin(), heard.end(), line), 1) << line << ::testing::PrintToString(heard);
    const auto begun = std::count(heard.begin(), heard.end(), "snapshot v.new 1");
    EXPECT_EQ(begun, client == &pattern ? 1 : 0);
  }
  EXPECT_EQ(plant.shard.stats().overruns, 1U);
  plant.publish("v.a", R"({"n":6})");
  plant.run();
  EXPECT_EQ(exact.heard(), Lines{"update v.a 6"});
  EXPECT_EQ(pattern.heard(), Lines{"update v.a 6"});
}

// The topic is new, and was delivered for a pattern that has left by the time of the turn.
TEST(Overrun, OfATopicNobodyWantsAnyMoreHidesItFromNobodyLater) {
  ShardConfig config;
  config.inbox_updates_max = 1;
  Plant plant(config);
  Client first(plant);
  first.subscribe(">");
  plant.publish("t.a", "{}");
  plant.publish("t.b", R"({"n":1})");  // one past the limit
  first.say(R"({"type":"unsubscribe","topics":[">"]})");
  plant.run();
  EXPECT_EQ(plant.shard.stats().overruns, 1U);
  Client second(plant);
  second.subscribe(">");
  plant.run();
  const Lines shown = second.heard();
  EXPECT_EQ(std::count(shown.begin(), shown.end(), "snapshot t.b 1"), 1) << ::testing::PrintToString(shown);
}

}  // namespace
}  // namespace tickwire
