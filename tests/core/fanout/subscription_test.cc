#include "plant.h"

namespace tickwire {
namespace {

TEST(Subscription, TheAckComesBeforeTheSnapshotAndUpdatesFollow) {
  Plant plant;
  plant.publish("a", R"({"p":"0.10"})");
  Client client(plant);
  client.subscribe("a");
  plant.publish("a", R"({"q":1})");
  plant.run();
  EXPECT_EQ(client.heard(), (Lines{"welcome", "ack", "snapshot a 1", "update a 2"}));
}

TEST(Subscription, ATopicWithoutUpdatesBeginsAtUpdateOne) {
  Plant plant;
  Client client(plant);
  client.subscribe("a");
  plant.publish("a", R"({"p":1})");
  plant.run();
  EXPECT_EQ(client.heard(), (Lines{"welcome", "ack", "update a 1"}));
}

TEST(Subscription, NoMessageOfATopicFollowsItsUnsubscribe) {
  Plant plant;
  Client client(plant);
  client.subscribe("a");
  plant.publish("a", R"({"p":1})");
  client.unsubscribe("a");
  plant.run();
  EXPECT_EQ(client.heard(), (Lines{"welcome", "ack", "ack"}));
}

TEST(Subscription, APatternShowsWhatIsThereAndWhatAppearsLater) {
  Plant plant;
  plant.publish("t.a", R"({"p":1})");
  plant.publish("u.a", R"({"p":1})");
  Client client(plant);
  client.subscribe("t.*");
  plant.publish("t.b", R"({"p":1})");
  plant.publish("t.a", R"({"p":2})");
  plant.publish("u.a", R"({"p":2})");
  plant.run();
  EXPECT_EQ(client.heard(), (Lines{"welcome", "ack", "snapshot t.a 1", "update t.b 1", "update t.a 2"}));
}

TEST(Subscription, ATopicReachesASessionOnceHoweverManySubscriptionsMatch) {
  Plant plant;
  Client client(plant);
  client.subscribe("t.*");
  client.subscribe("t.a");
  client.subscribe(">");
  plant.publish("t.a", R"({"p":1})");
  plant.publish("t.b", R"({"p":1})");
  plant.run();
  EXPECT_EQ(client.heard(), (Lines{"welcome", "ack", "ack", "ack", "update t.a 1", "update t.b 1"}));
  client.unsubscribe("t.a");
  client.unsubscribe("t.*");
  plant.publish("t.a", R"({"p":2})");
  plant.run();
  EXPECT_EQ(client.heard(), (Lines{"ack", "ack", "update t.a 2"}));
}

TEST(Subscription, ATopicThatNeverWasEndsUnderAPatternThatIsBehind) {
  Plant plant;
  plant.publish("t.a", "{}");
  Client client(plant);
  client.block();
  client.subscribe("t.*");
  plant.publish("t.a", "{}");
  plant.run();
  client.subscribe("t.b");
  client.unsubscribe("t.b");
  plant.hub.sweep();
  EXPECT_EQ(plant.hub.topic_count(), 1U);
  client.unblock();
  client.subscribe("t.>");
  EXPECT_EQ(client.heard(),
            (Lines{"welcome", "ack", "snapshot t.a 1", "ack", "ack", "snapshot t.a 2", "ack"}));
}

TEST(Subscription, WithoutSnapshotOnlyWhatComesFromNowOn) {
  Plant plant;
  plant.publish("t.a", R"({"p":1})");
  Client client(plant);
  client.subscribe("t.a", R"(,"snapshot":false)");
  Client other(plant);
  other.subscribe("t.*", R"(,"snapshot":false)");
  plant.publish("t.a", R"({"p":2})");
  plant.run();
  EXPECT_EQ(client.heard(), (Lines{"welcome", "ack", "update t.a 2"}));
  EXPECT_EQ(other.heard(), (Lines{"welcome", "ack", "update t.a 2"}));
}

TEST(Subscription, SubscribingAgainRepeatsTheSnapshot) {
  Plant plant;
  plant.publish("a", R"({"p":1})");
  Client client(plant);
  client.subscribe("a");
  client.subscribe("a");
  EXPECT_EQ(client.heard(), (Lines{"welcome", "ack", "snapshot a 1", "ack", "snapshot a 1"}));
  client.unsubscribe("a");
  plant.publish("a", R"({"p":2})");
  plant.run();
  EXPECT_EQ(client.heard(), (Lines{"ack"}));
}

TEST(Subscription, TheNumberOfSubscriptionsIsLimitedExactly) {
  ShardConfig config;
  config.session.subscriptions_max = 2;
  Plant plant(config);
  Client client(plant);
  client.say(R"({"type":"subscribe","topics":["a","b.*","c","b.*","d.>"]})");
  const auto ack = client.socket.take().back();
  EXPECT_FALSE(ack["results"][1].contains("error"));
  EXPECT_EQ(ack["results"][2]["error"]["code"], "too_many");
  EXPECT_FALSE(ack["results"][3].contains("error")) << "it has that one already";
  EXPECT_EQ(ack["results"][4]["error"]["code"], "too_many");
  plant.publish("c", R"({"p":1})");
  plant.publish("b.x", R"({"p":1})");
  plant.run();
  EXPECT_EQ(client.heard(), (Lines{"update b.x 1"}));
}

TEST(Subscription, TheNumberOfPatternsIsLimitedExactly) {
  ShardConfig config;
  config.session.patterns_max = 2;
  Plant plant(config);
  Client client(plant);
  client.say(R"({"type":"subscribe","topics":["a.*","b.*","c.*","b.*","d"]})");
  const auto ack = client.socket.take().back();
  EXPECT_FALSE(ack["results"][1].contains("error"));
  EXPECT_EQ(ack["results"][2]["error"]["code"], "too_many");
  EXPECT_FALSE(ack["results"][3].contains("error")) << "it has that one already";
  EXPECT_FALSE(ack["results"][4].contains("error")) << "a topic is no pattern";
  client.unsubscribe("a.*");
  client.say(R"({"type":"subscribe","topics":["c.*"]})");
  EXPECT_FALSE(client.socket.take().back()["results"][0].contains("error")) << "there is room again";
}

TEST(Subscription, StatusIsToldInBandAndInTheSnapshot) {
  Plant plant;
  plant.publish("a", R"({"p":1})");
  Client client(plant);
  client.subscribe("a");
  ASSERT_TRUE(plant.hub.set_status("a", TopicStatus::kHalted));
  plant.run();
  EXPECT_EQ(client.heard(), (Lines{"welcome", "ack", "snapshot a 1", "status a 1 halted"}));
  Client late(plant);
  late.subscribe("a");
  EXPECT_EQ(late.socket.take().back()["status"], "halted");
}

TEST(SlowClient, GetsTheCurrentImageWhenItsSocketDrainsAndNothingIsQueued) {
  Plant plant;
  Client client(plant);
  client.subscribe("a");
  client.block();
  for (int i = 1; i <= 5; ++i) {
    plant.publish("a", R"({"p":)" + std::to_string(i) + "}");
    plant.run();
  }
  EXPECT_EQ(client.heard(), (Lines{"welcome", "ack", "update a 1"}));
  client.unblock();
  EXPECT_EQ(client.heard(), (Lines{"snapshot a 5"}));
  plant.publish("a", R"({"p":6})");
  plant.run();
  EXPECT_EQ(client.heard(), (Lines{"update a 6"}));
}

TEST(SlowClient, APatternOwesOnlyWhatChangedWhileItWasBehind) {
  Plant plant;
  for (const char* topic : {"t.a", "t.b", "t.c"}) plant.publish(topic, R"({"p":0})");
  Client client(plant);
  client.subscribe("t.>");
  client.heard();
  client.block();
  plant.publish("t.a", R"({"p":1})");
  plant.run();
  plant.publish("t.c", R"({"p":1})");
  plant.publish("t.d", R"({"p":1})");
  plant.publish("t.c", R"({"p":2})");
  plant.run();
  EXPECT_EQ(client.heard(), (Lines{"update t.a 2"}));
  client.unblock();
  EXPECT_EQ(client.heard(), (Lines{"snapshot t.d 1", "snapshot t.c 3"}));
}

const std::vector<TopicRule> kEventRule{{.pattern = "e.>", .delivery = Delivery::kEvent, .ring = 4}};

TEST(SlowClient, GetsMissedEventsFromTheRing) {
  Plant plant({}, kEventRule);
  for (const std::string subscription : {"e.a", "e.*"}) {
    Client client(plant);
    client.subscribe(subscription, R"(,"snapshot":false)");
    const auto first = plant.hub.find("e.a") ? plant.hub.find("e.a")->seq() : 0;
    client.block();
    for (int i = 1; i <= 4; ++i) {
      plant.publish("e.a", R"({"p":1})");
      plant.run();
    }
    client.heard();
    client.unblock();
    Lines expected;
    for (std::uint64_t i = 2; i <= 4; ++i) expected.push_back("update e.a " + std::to_string(first + i));
    // What a pattern's client was told of each topic is not kept, so the status is said again.
    if (subscription == "e.*")
      expected.push_back("status e.a " + std::to_string(plant.hub.find("e.a")->seq()) + " live");
    EXPECT_EQ(client.heard(), expected) << subscription;
  }
}

TEST(SlowClient, IsToldOfATopicThatIsStaleAgainAfterTheEventsItMissed) {
  Plant plant({}, kEventRule);
  plant.publish("e.a", R"({"p":1})");
  static_cast<void>(plant.hub.set_status("e.a", TopicStatus::kStale));
  Client client(plant);
  client.block();
  client.subscribe("e.a");
  EXPECT_EQ(client.heard(), (Lines{"welcome", "ack", "snapshot e.a 1"}));
  plant.publish("e.a", R"({"p":2})");
  static_cast<void>(plant.hub.set_status("e.a", TopicStatus::kStale));
  plant.run();
  client.unblock();
  EXPECT_EQ(client.heard(), (Lines{"update e.a 2", "status e.a 2 stale"}));
}

TEST(SlowClient, IsToldExactlyWhichEventsTheRingHasLost) {
  Plant plant({}, kEventRule);
  for (const std::string subscription : {"e.a", "e.*"}) {
    Client client(plant);
    client.subscribe(subscription, R"(,"snapshot":false)");
    const auto first = plant.hub.find("e.a") ? plant.hub.find("e.a")->seq() : 0;
    client.block();
    for (int i = 1; i <= 8; ++i) {
      plant.publish("e.a", R"({"p":1})");
      plant.run();
    }
    client.heard();
    client.unblock();
    Lines expected{"gap e.a " + std::to_string(first + 2) + "-" + std::to_string(first + 4)};
    for (std::uint64_t i = 5; i <= 8; ++i) expected.push_back("update e.a " + std::to_string(first + i));
    // What a pattern's client was told of each topic is not kept, so the status is said again.
    if (subscription == "e.*")
      expected.push_back("status e.a " + std::to_string(plant.hub.find("e.a")->seq()) + " live");
    EXPECT_EQ(client.heard(), expected) << subscription;
  }
}

TEST(SlowClient, IsClosedWithACodeToReconnectPastTheAgeLimit) {
  Plant plant;
  Client client(plant);
  client.subscribe("a");
  client.block();
  plant.publish("a", R"({"p":1})");
  plant.run();
  plant.clock.advance_ms(60'000);
  plant.shard.tick();
  EXPECT_EQ(client.socket.close_code, 0);
  plant.clock.advance_ms(1);
  plant.shard.tick();
  EXPECT_EQ(client.socket.close_code, 1013);
}

TEST(SlowClient, StaysForAsLongAsItTakesSomethingNowAndThen) {
  Plant plant;
  Client client(plant);
  client.subscribe("a");
  client.subscribe("b");
  for (int minute = 0; minute < 5; ++minute) {
    client.block();
    plant.publish("a", R"({"p":1})");
    plant.run();
    plant.publish("b", R"({"p":1})");
    plant.run();
    plant.clock.advance_ms(50'000);
    plant.shard.tick();
    client.socket.block_next = true;  // it takes this one, and is full again
    client.socket.blocked = false;
    plant.shard.on_writable(*client.session);
    plant.clock.advance_ms(50'000);
    plant.shard.tick();
    ASSERT_EQ(client.socket.close_code, 0) << minute;
    client.unblock();
  }
}

TEST(SlowClient, IsNotReadFromWhileItsAnswersCannotLeave) {
  Plant plant;
  Client client(plant);
  client.block();
  client.say(R"({"type":"ping","id":1})");
  EXPECT_TRUE(client.socket.reading);
  client.say(R"({"type":"ping","id":2})");
  EXPECT_FALSE(client.socket.reading);
  client.unblock();
  EXPECT_TRUE(client.socket.reading);
  EXPECT_EQ(client.heard(), (Lines{"welcome", "pong", "pong"}));
}

TEST(Write, HasAMaximumAndWhatDoesNotFitFollows) {
  ShardConfig config;
  config.session.write_bytes_max = 1000;
  Plant plant(config);
  Client client(plant);
  client.subscribe("t.>");
  const std::string filler(300, 'x');
  for (int i = 0; i < 20; ++i) plant.publish("t." + std::to_string(i), R"({"p":")" + filler + "\"}");
  plant.run();
  EXPECT_LE(client.socket.largest_write, 1000U);
  std::set<std::string> topics;
  for (const auto& message : client.socket.take()) {
    if (message.contains("topic")) topics.insert(message["topic"]);
  }
  EXPECT_EQ(topics.size(), 20U);
}

TEST(Write, ASingleMessageMayPassTheMaximum) {
  ShardConfig config;
  config.session.write_bytes_max = 100;
  Plant plant(config);
  Client client(plant);
  client.subscribe("a");
  plant.publish("a", R"({"p":")" + std::string(5000, 'x') + "\"}");
  plant.run();
  EXPECT_EQ(client.heard(), (Lines{"welcome", "ack", "update a 1"}));
}

TEST(Write, OneTurnIsOneWriteASession) {
  Plant plant;
  Client client(plant);
  client.say(R"({"type":"subscribe","topics":["a","b","c"]})");
  const int before = client.socket.writes;
  for (const char* topic : {"a", "b", "c", "a"}) plant.publish(topic, R"({"p":1})");
  plant.run();
  EXPECT_EQ(client.socket.writes, before + 1);
  EXPECT_EQ(client.heard(),
            (Lines{"welcome", "ack", "update a 1", "update b 1", "update c 1", "update a 2"}));
}

TEST(Pace, MaxRateSendsTheLatestStateOnASharedGrid) {
  Plant plant;
  Client one(plant);
  Client two(plant);
  one.subscribe("a", R"(,"max_rate":10)");
  two.subscribe("*", R"(,"max_rate":10)");
  one.heard(), two.heard();
  for (int i = 0; i < 100; ++i) {
    plant.publish("a", R"({"p":)" + std::to_string(i) + "}");
    plant.shard.run();
    plant.clock.advance_ms(10);
  }
  plant.run();
  const Lines heard_one = one.heard();
  EXPECT_GE(heard_one.size(), 10U);
  EXPECT_LE(heard_one.size(), 11U);
  EXPECT_EQ(heard_one.back(), "snapshot a 100");
  EXPECT_EQ(two.heard(), heard_one) << "clients of one pace hear the same states";
}

TEST(Pace, ChangesWhenSubscribedAgain) {
  Plant plant;
  Client client(plant);
  client.subscribe("a", R"(,"max_rate":1)");
  client.subscribe("a");
  client.heard();
  for (int i = 0; i < 3; ++i) {
    plant.publish("a", R"({"p":1})");
    plant.run();
  }
  EXPECT_EQ(client.heard(), (Lines{"update a 1", "update a 2", "update a 3"}));
}

}  // namespace
}  // namespace tickwire
