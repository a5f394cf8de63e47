// What a shard does where its hub is one of several that share their topics: sessions leave without a trace
// before the hub forgets, and a resume waits until the hub is as far as any other was.
#include "plant.h"

namespace tickwire {
namespace {

const std::vector<TopicRule> kEvents{{.pattern = "e.>", .delivery = Delivery::kEvent, .ring = 8}};

bool is_delivered(Plant& plant, std::string_view topic) {
  return plant.hub.find_topic(topic)->describe().find("sinks=0") == std::string::npos;
}

TEST(Leave, ASessionWhosePatternCatchesUpAnEventTopicLeavesNothing) {
  Plant plant({}, kEvents);
  Client client(plant);
  client.subscribe("e.*");
  plant.publish("e.x", R"({"n":1})");
  plant.run();
  client.block();
  for (int i = 0; i < 3; ++i) {
    plant.publish("e.x", R"({"n":2})");
    plant.run();
  }
  EXPECT_TRUE(is_delivered(plant, "e.x"));
  client.leave();
  plant.run();
  EXPECT_FALSE(is_delivered(plant, "e.x"));
}

TEST(Leave, EverybodyIsToldAndTheShardHasLeftOnceNothingIsLeft) {
  Plant plant;
  Client client(plant);
  client.subscribe("t.a");
  plant.run();
  client.socket.take();
  plant.shard.leave();
  plant.run();
  EXPECT_EQ(client.heard(), Lines{"drain"});
  EXPECT_FALSE(plant.shard.has_left()) << "its connection is not gone yet";
  plant.publish("t.a", "{}");
  client.leave();
  EXPECT_FALSE(plant.shard.has_left()) << "an update waits, which must not meet a hub that has forgotten it";
  plant.run();
  EXPECT_TRUE(plant.shard.has_left());
}

class SharedPublisher final : public Publisher {
 public:
  Outcome publish(std::string_view /*topic*/, ImageView /*data*/, FeedId /*feed*/,
                  const Done& /*done*/) override {
    return std::uint64_t{0};
  }
  Status publish_rows(std::span<const std::string_view> /*topics*/, Payloads& /*payloads*/, FeedId /*feed*/,
                      std::size_t& /*taken*/) override {
    return ok_status();
  }
  Status set_status(std::string_view /*topic*/, TopicStatus /*status*/) override { return ok_status(); }
  void feed_down(FeedId /*feed*/) override {}
  [[nodiscard]] bool is_shared() const override { return true; }
  void when_current(std::function<void(bool current)> then) override { askers.push_back(std::move(then)); }

  std::vector<std::function<void(bool)>> askers;
};

class Shared : public testing::Test {
 protected:
  static ShardConfig config_with(Publisher& publisher) {
    ShardConfig config;
    config.publisher = &publisher;
    return config;
  }
  // What a client hears that says it has seen t.a up to `since`.
  void resume(int since) {
    plant.run();
    client.socket.take();
    client.say(R"({"type":"subscribe","topics":["t.a"],"epoch":"e1","since":{"t.a":)" +
               std::to_string(since) + "}}");
    plant.run();
    EXPECT_TRUE(client.socket.take().empty()) << "nobody knows yet whether the hub is there";
    ASSERT_EQ(publisher.askers.size(), 1U);
  }
  void answer(bool current) {
    publisher.askers[0](current);
    plant.run();
  }

  SharedPublisher publisher;
  Plant plant{config_with(publisher)};
  Client client{plant};
};

TEST_F(Shared, AResumeWaitsUntilTheHubIsAsFarAsTheClient) {
  plant.publish("t.a", R"({"n":1})");
  resume(2);
  plant.publish("t.a", R"({"n":2})");
  plant.publish("t.a", R"({"n":3})");
  answer(true);
  const auto told = client.socket.take();
  ASSERT_GE(told.size(), 2U);
  EXPECT_EQ(told[0]["results"][0]["recovered"], true);
  EXPECT_EQ(told[1]["seq"], 3);
}

TEST_F(Shared, CutOffAResumeIsServedWhereTheClientIsNotAhead) {
  plant.publish("t.a", R"({"n":1})");
  resume(1);
  answer(false);
  EXPECT_EQ(client.socket.take().at(0)["results"][0]["recovered"], true);
}

TEST_F(Shared, CutOffAClientThatIsAheadIsSentElsewhere) {
  plant.publish("t.a", R"({"n":1})");
  resume(2);
  answer(false);
  const auto told = client.socket.take();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0]["code"], "unavailable");
  EXPECT_EQ(told[0]["retryable"], true);
}

TEST_F(Shared, WhoBeginsAnewDoesNotWait) {
  plant.publish("t.a", R"({"n":1})");
  client.subscribe("t.a");
  plant.run();
  EXPECT_TRUE(publisher.askers.empty());
  EXPECT_EQ(client.heard(), (Lines{"welcome", "ack", "snapshot t.a 1"}));
}

}  // namespace
}  // namespace tickwire
