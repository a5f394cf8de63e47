#include <algorithm>

#include "plant.h"

namespace tickwire {
namespace {

using nlohmann::json;

// Value topics under v, event topics under e; each keeps its last four updates.
struct Resume : testing::Test {
  void publish(const std::string& topic, int count = 1) {
    for (int i = 0; i < count; ++i) plant.publish(topic, R"({"n":1})");
    plant.run();
  }
  static void resume(Client& client, const json& topics, const json& since, const std::string& epoch = "e1") {
    client.say(json{{"type", "subscribe"}, {"topics", topics}, {"since", since}, {"epoch", epoch}}.dump());
  }
  // The result for the first topic.
  json subscribe(const json& topics, const json& since, const std::string& epoch = "e1") {
    client.heard();
    resume(client, topics, since, epoch);
    plant.run();
    const json ack = json::parse(client.socket.texts.front());
    client.socket.texts.erase(client.socket.texts.begin());
    return ack["results"][0];
  }

  Plant plant{{}, {{.pattern = "e.>", .delivery = Delivery::kEvent}, {.pattern = ">", .ring = 4}}};
  Client client{plant};
};

TEST_F(Resume, ReplaysExactlyWhatWasMissed) {
  publish("v.a", 6);
  EXPECT_EQ(subscribe({"v.a"}, {{"v.a", 3}}),
            (json{{"topic", "v.a"}, {"seq", 6}, {"recovered", true}, {"missed", 3}}));
  publish("v.a");
  EXPECT_EQ(client.heard(),
            (Lines{"update v.a 4", "update v.a 5", "update v.a 6", "status v.a 6 live", "update v.a 7"}));
}

TEST_F(Resume, ReachesBackAsFarAsTheRingAndNotOneFurther) {
  publish("v.a", 6);
  EXPECT_TRUE(subscribe({"v.a"}, {{"v.a", 2}})["recovered"]);
  client.heard();
  const json past = subscribe({"v.a"}, {{"v.a", 1}});
  EXPECT_FALSE(past["recovered"]);
  EXPECT_EQ(past["missed"], 5);
  EXPECT_EQ(client.heard(), Lines{"snapshot v.a 6"});
}

TEST_F(Resume, OneWhoMissedNothingIsToldTheStatusOnly) {
  publish("v.a", 2);
  static_cast<void>(plant.hub.set_status("v.a", TopicStatus::kHalted));
  const json result = subscribe({"v.a"}, {{"v.a", 2}});
  EXPECT_TRUE(result["recovered"]);
  EXPECT_EQ(result["missed"], 0);
  EXPECT_EQ(client.heard(), Lines{"status v.a 2 halted"});
}

TEST_F(Resume, OfEventsItSaysExactlyWhatIsGone) {
  publish("e.a", 9);
  const json result = subscribe({"e.a"}, {{"e.a", 2}});
  EXPECT_FALSE(result["recovered"]);
  EXPECT_EQ(result["missed"], 7);
  EXPECT_EQ(client.heard(), (Lines{"gap e.a 3-5", "update e.a 6", "update e.a 7", "update e.a 8",
                                   "update e.a 9", "status e.a 9 live"}));
}

TEST_F(Resume, AnotherEpochOrASeqFromTheFutureBeginsAnew) {
  publish("v.a", 3);
  const json other = subscribe({"v.a"}, {{"v.a", 3}}, "e0");
  EXPECT_FALSE(other["recovered"]);
  EXPECT_FALSE(other.contains("missed"));
  EXPECT_EQ(client.heard(), Lines{"snapshot v.a 3"});
  EXPECT_FALSE(subscribe({"v.a"}, {{"v.a", 4}})["recovered"]);
  EXPECT_EQ(client.heard(), Lines{"snapshot v.a 3"});
}

TEST_F(Resume, UnderAPatternEachTopicGoesOnWhereItWasAndNewOnesBegin) {
  publish("v.a", 3);
  publish("v.b", 9);
  publish("e.a", 2);
  publish("v.new");
  const json result = subscribe({">"}, {{"v.a", 1}, {"v.b", 1}, {"e.a", 1}});
  EXPECT_FALSE(result["recovered"]) << "not of v.b";
  EXPECT_EQ(result["missed"], 11);
  Lines heard = client.heard();
  std::sort(heard.begin(), heard.end());
  EXPECT_EQ(heard, (Lines{"snapshot v.b 9", "snapshot v.new 1", "status e.a 2 live", "status v.a 3 live",
                          "update e.a 2", "update v.a 2", "update v.a 3"}));
  publish("v.a");
  publish("v.b");
  EXPECT_EQ(client.heard(), (Lines{"update v.a 4", "update v.b 10"}));
}

TEST_F(Resume, ARingThatMovesOnBeforeTheClientReadsIsMadeUpForByASnapshot) {
  publish("v.a", 4);
  client.block();
  client.say(R"({"type":"ping"})");  // which fills the socket
  EXPECT_TRUE(client.socket.blocked);
  client.heard();
  client.say(R"({"type":"subscribe","topics":["v.a"],"since":{"v.a":1},"epoch":"e1"})");
  publish("v.a", 4);
  client.unblock();
  plant.run();
  EXPECT_EQ(client.heard(), (Lines{"ack", "snapshot v.a 8"}));
}

// The client got these updates from another shard, whose turn came first.
TEST_F(Resume, AClientThatIsAheadOfThisShardGetsNothingTwice) {
  for (const std::string subscription : {"v.a", "v.*"}) {
    Plant two;
    Client first(two);
    first.subscribe("v.*");
    two.publish("v.a", R"({"n":1})");
    two.run();
    two.publish("v.a", R"({"n":2})");
    two.publish("v.a", R"({"n":3})");
    two.publish("v.new", R"({"n":1})");
    Client ahead(two);
    ahead.heard();
    resume(ahead, json::array({subscription, "v.new"}), {{"v.a", 3}, {"v.new", 1}});
    const json ack = json::parse(ahead.socket.texts.at(0));
    EXPECT_TRUE(ack["results"][0]["recovered"]) << subscription;
    EXPECT_EQ(ack["results"][0]["missed"], 0);
    if (subscription == "v.a") {
      EXPECT_EQ(ack["results"][0]["seq"], 3) << "not less than the client has";
    }
    EXPECT_EQ(ack["results"][1]["seq"], 1);
    two.run();
    two.publish("v.a", R"({"n":4})");
    two.publish("v.new", R"({"n":2})");
    two.run();
    EXPECT_EQ(ahead.heard(),
              (Lines{"ack", "status v.a 3 live", "status v.new 1 live", "update v.a 4", "update v.new 2"}))
        << subscription;
  }
}

TEST_F(Resume, AClientAheadThatSubscribesAgainIsNotTakenBack) {
  for (const std::string subscription : {"v.a", "v.*"}) {
    Plant two;
    Client first(two);
    first.subscribe("v.*");
    two.publish("v.a", R"({"n":1})");
    two.run();
    two.publish("v.a", R"({"n":2})");
    Client ahead(two);
    resume(ahead, json::array({subscription}), {{"v.a", 2}});
    ahead.subscribe("v.a");
    two.run();
    two.publish("v.a", R"({"n":3})");
    two.run();
    EXPECT_EQ(ahead.heard(), (Lines{"welcome", "ack", "ack", "snapshot v.a 2", "update v.a 3"}))
        << subscription;
  }
}

TEST_F(Resume, LastGivesTheLastEventsAndThenGoesOn) {
  publish("e.a", 6);
  publish("v.a", 6);
  client.heard();
  client.say(R"({"type":"subscribe","topics":["e.a","v.a"],"last":2})");
  plant.run();
  publish("e.a");
  EXPECT_EQ(client.heard(), (Lines{"ack", "update e.a 5", "update e.a 6", "status e.a 6 live",
                                   "snapshot v.a 6", "update e.a 7"}));
}

TEST_F(Resume, LastGivesWhatThereIsWhenThatIsLess) {
  publish("e.a", 9);
  publish("e.b");
  Client all(plant);
  all.heard();
  all.say(R"({"type":"subscribe","topics":["e.*"],"last":100})");
  plant.run();
  Lines heard = all.heard();
  std::sort(heard.begin(), heard.end());
  EXPECT_EQ(heard, (Lines{"ack", "status e.a 9 live", "status e.b 1 live", "update e.a 6", "update e.a 7",
                          "update e.a 8", "update e.a 9", "update e.b 1"}));
}

TEST_F(Resume, LastLeavesOutNothingThatIsOwed) {
  for (const std::string subscription : {"e.a", "e.*"}) {
    Client slow(plant);
    publish("e.a");
    slow.subscribe(subscription);
    plant.run();
    slow.block();
    publish("e.a");  // the socket is full from here on
    slow.heard();
    publish("e.a", 2);
    slow.subscribe(subscription, R"(,"last":1)");
    slow.unblock();
    plant.run();
    const std::uint64_t seq = plant.hub.find("e.a")->seq();
    EXPECT_EQ(slow.heard(),
              (Lines{"ack", "update e.a " + std::to_string(seq - 1), "update e.a " + std::to_string(seq),
                     "status e.a " + std::to_string(seq) + " live"}))
        << subscription;
  }
}

TEST_F(Resume, LastBeginsWithTheSnapshotWhereTheRingIsEmpty) {
  ASSERT_TRUE(plant.hub.restore({"e.a", 7, 30, TopicStatus::kLive, R"({"n":1})"}));
  for (const std::string subscription : {"e.a", "e.*"}) {
    Client late(plant);
    late.heard();
    late.subscribe(subscription, R"(,"last":3)");
    plant.run();
    EXPECT_EQ(late.heard(), (Lines{"ack", "snapshot e.a 7"})) << subscription;
  }
}

TEST_F(Resume, TheLastWithoutASnapshotLeavesNothingOutOfWhatIsOwed) {
  for (const std::string subscription : {"e.a", "e.*"}) {
    Client late(plant);
    late.subscribe(subscription, R"(,"max_rate":0.05,"snapshot":false)");
    publish("e.a", 1);
    late.heard();
    const std::uint64_t seq = plant.hub.find("e.a")->seq();
    for (int i = 0; i < 3; ++i) plant.publish("e.a", R"({"n":1})");
    plant.shard.run();
    EXPECT_TRUE(late.heard().empty()) << "20 s a message";
    late.subscribe(subscription, R"(,"last":1,"snapshot":false)");
    plant.run();
    Lines updates = late.heard();
    std::erase_if(updates, [](const std::string& line) { return !line.starts_with("update"); });
    const auto update = [](std::uint64_t n) { return "update e.a " + std::to_string(n); };
    EXPECT_EQ(updates, (Lines{update(seq + 1), update(seq + 2), update(seq + 3)})) << subscription;
  }
}

// The bytes, too: the snapshot is no base for what comes after the replay in the compressed stream. Each
// event is like the one before the last, so that a base that is not there shows.
TEST_F(Resume, ASnapshotThatIsOwedGoesBeforeTheLast) {
  client.subscribe("e.a");  // so that the shard follows the topic all the time
  for (const std::string subscription : {"e.a", "e.*"}) {
    for (const std::uint64_t last : {1U, 2U, 3U}) {
      const auto data_of = [](std::uint64_t seq) {
        return seq % 2 == 0 ? R"({"text":"an even one, which is like no odd one"})"
                            : R"({"odd":"0123456789"})";
      };
      const auto publish_one = [&] {
        const UpdatePtr before = plant.hub.find("e.a");
        plant.publish("e.a", data_of(before ? before->seq() + 1 : 1));
        plant.run();
      };
      Client late(plant, {}, Compression::kContext);
      for (int i = 0; i < 5; ++i) publish_one();
      const std::uint64_t seq = plant.hub.find("e.a")->seq();
      late.heard();
      late.block();
      late.say(R"({"type":"ping"})");  // the socket is full from here on
      late.subscribe(subscription);
      late.subscribe(subscription, R"(,"last":)" + std::to_string(last));
      late.unblock();
      plant.run();
      for (int i = 0; i < 3; ++i) publish_one();
      Lines heard;
      for (const json& message : late.socket.take()) {
        if (!message.contains("data")) continue;
        heard.push_back(message["type"].get<std::string>() + message["seq"].dump() + message["data"].dump());
      }
      Lines expected{"snapshot" + std::to_string(seq) + data_of(seq)};
      for (std::uint64_t told = seq + 1 - last; told <= seq + 3; ++told) {
        expected.push_back("update" + std::to_string(told) + data_of(told));
      }
      EXPECT_EQ(heard, expected) << subscription << ", last " << last;
    }
  }
}

// Two commands bring one client back, and only the first one knows this topic.
TEST_F(Resume, ASinceForOtherTopicsTakesAClientThatIsAheadNotBack) {
  Plant two;
  Client first(two);
  first.subscribe("v.*");
  two.publish("v.a", R"({"n":1})");
  two.run();
  two.publish("v.a", R"({"n":2})");
  Client ahead(two);
  ahead.heard();
  resume(ahead, json::array({"v.*"}), {{"v.a", 2}});
  resume(ahead, json::array({"v.a", "v.b"}), {{"v.b", 7}});
  two.run();
  two.publish("v.a", R"({"n":3})");
  two.run();
  for (const std::string& line : ahead.heard()) EXPECT_NE(line, "snapshot v.a 1") << "older than what it has";
}

TEST_F(Resume, ANewPaceTakesNothingAwayThatIsOwed) {
  for (const std::string subscription : {"v.a", "v.*", "e.a", "e.*"}) {
    const std::string topic = subscription.substr(0, 2) + "a";
    Client paced(plant);
    paced.say(R"({"type":"subscribe","topics":[")" + subscription + R"("],"max_rate":1})");
    publish(topic);
    paced.heard();
    publish(topic, 2);
    paced.say(R"({"type":"subscribe","topics":[")" + subscription + R"("],"snapshot":false})");
    for (int i = 0; i < 4; ++i) {
      plant.clock.advance_ms(1000);
      plant.run();
    }
    const Lines heard = paced.heard();
    const std::uint64_t seq = plant.hub.find(topic)->seq();
    const std::string kind = topic.starts_with("v") ? "snapshot " : "update ";
    EXPECT_EQ(std::count(heard.begin(), heard.end(), kind + topic + " " + std::to_string(seq)), 1)
        << subscription << ": " << ::testing::PrintToString(heard);
  }
}

// What comes to be after the pattern's earlier topics were renewed is of the same command.
TEST(ResumeInPieces, ManyTopicsOfAPatternAreEachReplayed) {
  ShardConfig config;
  config.piece_steps = 20;
  Plant plant(config);
  std::string since;
  for (int i = 0; i < 50; ++i) {
    const std::string topic = "t.x" + std::to_string(i);
    for (int n = 0; n < 3; ++n) plant.publish(topic, "{}");
    since += (i > 0 ? ",\"" : "\"") + topic + "\":1";
  }
  Client client(plant);
  client.subscribe("t.*", R"(,"epoch":"e1","since":{)" + since + "}");
  plant.run();
  const Lines heard = client.heard();
  EXPECT_EQ(heard.size(), 152U) << "the status of each, too";
  EXPECT_EQ(std::ranges::count_if(heard, [](const std::string& line) { return line.starts_with("update"); }),
            100);
}

}  // namespace
}  // namespace tickwire
