// What is too large to be made into MessagePack or CBOR on the loop is made by a worker; until then the one
// subscription that needs it is behind.
#include "base/work.h"
#include "fakes/fake_offload.h"
#include "plant.h"

namespace tickwire {
namespace {

struct LargeForm : testing::TestWithParam<Format> {
  static constexpr std::uint64_t kCallStepsMax = 4 * kPieceSteps;  // as in bounded_cost_test.cc

  ~LargeForm() override { offload.end(); }
  static ShardConfig with(FakeOffload& offload) {
    ShardConfig config;
    config.offload = &offload;
    return config;
  }
  static std::string payload(int n, std::size_t bytes = 400'000) {
    return R"({"n":)" + std::to_string(n) + R"(,"x":")" + std::string(bytes, 'x') + "\"}";
  }
  // Runs until nothing is left to do, but for the workers, and says how long the longest call took.
  std::uint64_t rest() {
    std::uint64_t longest = 0;
    for (int i = 0; i < 1'000; ++i) {
      const std::uint64_t before = Work::done();
      const std::int64_t wait = plant.shard.run();
      longest = std::max(longest, Work::done() - before);
      if (wait < 0) return longest;
      plant.clock.advance_ms((wait + 999) / 1000);
    }
    ADD_FAILURE() << "the shard does not come to rest";
    return longest;
  }
  Lines heard_after_work(Client& client) {
    do {
      offload.run_all();
      EXPECT_LT(rest(), kCallStepsMax);
    } while (offload.waiting() > 0);
    return client.heard();
  }

  FakeOffload offload;
  Plant plant{with(offload), {{.pattern = "event.>", .delivery = Delivery::kEvent}}};
};

TEST_P(LargeForm, AThousandFormsThatWereMadeDelayNoCommand) {
  constexpr int kForms = 1'000;
  Client client(plant, {}, Compression::kNone, GetParam());
  client.subscribe("a.*");
  rest();
  for (int i = 0; i < kForms; ++i) plant.publish("a." + std::to_string(i), payload(i, 70'000));
  plant.shard.run();
  offload.run_all();
  plant.shard.run();
  Client other(plant);
  other.heard();
  other.subscribe("b", std::string(R"(,"id":")") + std::string(70'000, 'x') + "\"");
  int runs = 0;
  for (; other.session->working && runs < kForms; ++runs) {
    offload.run_all();
    plant.shard.run();
  }
  EXPECT_LT(runs, 10);
}

TEST_P(LargeForm, ASnapshotWaitsForAWorkerAndNobodyElseDoes) {
  int seq = 0;
  plant.publish("a.small", "{}");
  for (const char* topics : {R"("a.large","a.small")", R"("a.*")"}) {
    plant.publish("a.large", payload(++seq));
    Client client(plant, {}, Compression::kNone, GetParam());
    Client json(plant);
    client.heard();
    json.heard();
    const std::uint64_t before = Work::done();
    client.say(R"({"type":"subscribe","topics":[)" + std::string(topics) + "]}");
    json.say(R"({"type":"subscribe","topics":[)" + std::string(topics) + "]}");
    EXPECT_LT(Work::done() - before, kCallStepsMax);
    EXPECT_LT(rest(), kCallStepsMax);
    EXPECT_EQ(offload.waiting(), 1U);
    EXPECT_EQ(client.heard(), (Lines{"ack", "snapshot a.small 1"}));
    EXPECT_EQ(json.heard().size(), 3U);
    EXPECT_EQ(heard_after_work(client), Lines{"snapshot a.large " + std::to_string(seq)});
    plant.publish("a.large", R"({"n":0})");
    rest();
    EXPECT_EQ(client.heard(), Lines{"update a.large " + std::to_string(++seq)}) << "it is live again";
  }
}

TEST_P(LargeForm, ALargeUpdateOfALiveTopicOrPattern) {
  for (const char* topic : {"a.large", "a.*"}) {
    Client client(plant, {}, Compression::kNone, GetParam());
    client.subscribe(topic);
    rest();
    heard_after_work(client);
    const auto last = plant.hub.find("a.large");
    const std::uint64_t seq = last == nullptr ? 0 : last->seq();
    plant.publish("a.large", payload(2));
    plant.publish("a.small", "{}");
    EXPECT_LT(rest(), kCallStepsMax);
    EXPECT_EQ(client.heard().size(), topic[2] == '*' ? 1U : 0U);
    EXPECT_EQ(heard_after_work(client), Lines{"snapshot a.large " + std::to_string(seq + 1)});
    plant.publish("a.large", R"({"n":3})");
    rest();
    EXPECT_EQ(client.heard(), Lines{"update a.large " + std::to_string(seq + 2)});
  }
}

TEST_P(LargeForm, NoEventIsLost) {
  for (const char* topic : {"event.a", "event.*"}) {
    Client client(plant, {}, Compression::kNone, GetParam());
    client.subscribe(topic, R"(,"snapshot":false)");
    rest();
    client.heard();
    const auto last = plant.hub.find("event.a");
    const std::uint64_t seq = last == nullptr ? 0 : last->seq();
    for (int n = 0; n < 3; ++n) {
      plant.publish("event.a", payload(n));
      plant.publish("event.a", "{}");
      EXPECT_LT(rest(), kCallStepsMax);
    }
    Lines expected;
    for (std::uint64_t n = 1; n <= 6; ++n) expected.push_back("update event.a " + std::to_string(seq + n));
    Lines heard = heard_after_work(client);
    std::erase_if(heard, [](const std::string& line) { return line.starts_with("status"); });
    EXPECT_EQ(heard, expected) << topic;
  }
}

TEST_P(LargeForm, ATopicThatChangesMoreQuicklyThanItsFormsAreMadeIsShownAllTheSame) {
  Client client(plant, {}, Compression::kNone, GetParam());
  client.subscribe("a.large");
  plant.publish("a.large", payload(0));
  rest();
  client.heard();
  std::uint64_t shown = 0;
  int messages = 0;
  for (int n = 1; n <= 10; ++n) {
    plant.publish("a.large", payload(n));
    offload.run_one();
    rest();
    for (const auto& message : client.socket.take()) {
      EXPECT_GT(message["seq"].get<std::uint64_t>(), shown);
      shown = message["seq"];
      ++messages;
    }
  }
  EXPECT_EQ(messages, 10);
  EXPECT_EQ(heard_after_work(client), Lines{"snapshot a.large 11"});
}

TEST_P(LargeForm, ClientsMayLeaveWhileItIsMade) {
  plant.publish("a.large", payload(1));
  Client stays(plant, {}, Compression::kNone, GetParam());
  stays.subscribe("a.large");
  {
    Client client(plant, {}, Compression::kNone, GetParam());
    client.subscribe("a.*");
    rest();
  }
  Client next(plant, {}, Compression::kNone, GetParam());  // in the slot of the one that has gone
  stays.unsubscribe("a.large");
  offload.run_all();
  rest();
  EXPECT_EQ(next.heard(), Lines{"welcome"});
  EXPECT_EQ(stays.heard(), (Lines{"welcome", "ack", "ack"}));
}

INSTANTIATE_TEST_SUITE_P(Binary, LargeForm, testing::Values(Format::kMsgpack, Format::kCbor));

}  // namespace
}  // namespace tickwire
