// Clients publish through a Publisher that may decide at once or later, on any thread.
#include "hub/publisher.h"

#include "fakes/fake_offload.h"
#include "plant.h"

namespace tickwire {
namespace {

// Decides when a test says so.
class LatePublisher final : public Publisher {
 public:
  using Publisher::publish;
  Outcome publish(std::string_view topic, ImageView data, FeedId /*feed*/, const Done& done) override {
    said.push_back(std::string(topic) + " " + std::string(data.text));
    if (at_once) done(*at_once);
    pending.push_back(done);
    return at_once.value_or(Outcome(0));
  }
  Status publish_rows(std::span<const std::string_view> /*topics*/, Payloads& /*payloads*/, FeedId /*feed*/,
                      std::size_t& /*taken*/) override {
    return ok_status();
  }
  Status set_status(std::string_view /*topic*/, TopicStatus /*status*/) override { return ok_status(); }
  void feed_down(FeedId /*feed*/) override {}

  std::optional<Outcome> at_once;
  std::vector<std::string> said;
  std::vector<Done> pending;
};

struct LatePlant {
  explicit LatePlant(std::size_t on_loop_bytes_max = kOnLoopBytesMax) : plant(config(on_loop_bytes_max)) {
    plant.access.publish = true;
  }
  ~LatePlant() { offload.end(); }
  LatePlant(const LatePlant&) = delete;
  LatePlant& operator=(const LatePlant&) = delete;

  ShardConfig config(std::size_t on_loop_bytes_max) {
    ShardConfig config;
    config.publisher = &publisher;
    config.offload = &offload;
    config.on_loop_bytes_max = on_loop_bytes_max;
    return config;
  }

  LatePublisher publisher;
  FakeOffload offload;
  Plant plant;
};

constexpr std::string_view kPublish = R"({"type":"publish","id":7,"topic":"t.a","data":{"p":1.00}})";

TEST(Publisher, IsGivenWhatClientsPublishAndAnswersWhenItHasDecided) {
  LatePlant late;
  Client client(late.plant);
  client.socket.take();
  client.say(kPublish);
  client.say(R"({"type":"ping","id":8})");
  EXPECT_EQ(late.publisher.said, Lines{R"(t.a {"p":1.00})"});
  EXPECT_EQ(client.socket.take().at(0)["type"], "pong") << "nobody waits for it";
  late.publisher.pending.at(0)(41);
  late.plant.run();
  const auto ack = client.socket.take().at(0);
  EXPECT_EQ(ack["id"], 7);
  EXPECT_EQ(ack["results"][0]["seq"], 41);
}

TEST(Publisher, MayDecideBeforeItReturns) {
  LatePlant late;
  late.publisher.at_once = Publisher::Outcome(5);
  Client client(late.plant);
  client.socket.take();
  client.say(kPublish);
  EXPECT_EQ(client.socket.take().at(0)["results"][0]["seq"], 5) << "answered in the same call";
}

TEST(Publisher, MayRefuseLater) {
  LatePlant late;
  Client client(late.plant);
  client.socket.take();
  client.say(kPublish);
  late.publisher.pending.at(0)(Error{ErrorCode::kUnavailable, "nobody is there", ""});
  late.plant.run();
  EXPECT_EQ(client.socket.take().at(0)["code"], "unavailable");
}

TEST(Publisher, IsAskedByAWorkerForALargePayloadAndAnswersOnceInEitherOrder) {
  for (const bool decides_on_the_worker : {true, false}) {
    LatePlant late(20);
    if (decides_on_the_worker) late.publisher.at_once = Publisher::Outcome(3);
    Client client(late.plant);
    client.socket.take();
    client.say(kPublish);
    late.offload.run_all();
    late.plant.run();
    late.offload.run_all();
    late.plant.run();
    if (!decides_on_the_worker) {
      EXPECT_TRUE(client.socket.take().empty());
      late.publisher.pending.at(0)(3);
      late.plant.run();
    }
    const auto heard = client.socket.take();
    ASSERT_EQ(heard.size(), 1U);
    EXPECT_EQ(heard[0]["results"][0]["seq"], 3);
  }
}

TEST(Publisher, DecidesForASessionThatIsGone) {
  LatePlant late;
  Client client(late.plant);
  client.say(kPublish);
  client.leave();
  late.plant.run();
  late.publisher.pending.at(0)(1);
  late.plant.run();
}

TEST(Hub, IsAPublisherThatDecidesAtOnce) {
  FakeClock clock;
  Hub hub(clock, {});
  Publisher& publisher = hub;
  std::vector<std::string> told;
  const Publisher::Done done = [&](const Publisher::Outcome& outcome) {
    told.push_back(outcome ? std::to_string(*outcome) : outcome.error().field);
  };
  EXPECT_EQ(publisher.publish("t.a", "{}", 0, done).value(), 1U);
  EXPECT_EQ(publisher.publish("t.a", "{}", 0, {}).value(), 2U);
  EXPECT_EQ(publisher.publish("t.a", "[]", 0, done).error().code, ErrorCode::kBadData);
  EXPECT_EQ(publisher.publish("t..a", "[]", 0, done).error().code, ErrorCode::kBadTopic);
  EXPECT_EQ(told, (std::vector<std::string>{"1", "data", "topic"}));
}

}  // namespace
}  // namespace tickwire
