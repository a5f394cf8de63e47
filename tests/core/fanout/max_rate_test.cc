// max_rate is never exceeded, however many topics there are and however long it takes to send them.
#include <ostream>
#include <random>

#include "plant.h"

namespace tickwire {
namespace {

struct MaxRateCase {
  const char* name;
  bool pattern;
  Compression compression;
};

void PrintTo(const MaxRateCase& kind, std::ostream* out) {
  *out << kind.name;
}

class MaxRate : public testing::TestWithParam<MaxRateCase> {};

TEST_P(MaxRate, ATopicIsSentOnceAPaceWhileManyWritesAreNeeded) {
  constexpr int kTopics = 500;
  constexpr int kSeconds = 8;
  ShardConfig config;
  config.session.write_bytes_max = 2'000;  // some 30 topics: a round takes many writes
  Plant plant(config);
  const auto name = [](int n) { return "t.x" + std::to_string(n); };
  for (int i = 0; i < kTopics; ++i) plant.publish(name(i), R"({"n":1})");
  Client client(plant, {}, GetParam().compression);
  std::string text = R"({"type":"subscribe","max_rate":1,"topics":[)";
  for (int i = 0; i < kTopics && !GetParam().pattern; ++i) text += "\"" + name(i) + "\",";
  text += GetParam().pattern ? "\"t.*\"" : "\"t.y\"";
  client.say(text + "]}");
  plant.run();
  client.socket.take();

  std::mt19937 random(3);
  plant.clock.advance_ms(1000 - plant.clock.steady_us() / 1000 % 1000);
  for (int second = 0; second < kSeconds; ++second) {
    std::map<std::string, int> sent;
    for (int ms = 0; ms < 1000; ms += 5) {
      for (int i = 0; i < 10; ++i) plant.publish(name(static_cast<int>(random() % kTopics)), R"({"n":2})");
      plant.shard.run();
      plant.clock.advance_ms(5);
      for (const auto& message : client.socket.take()) ++sent[message["topic"].get<std::string>()];
    }
    int most = 0;
    for (const auto& [topic, count] : sent) most = std::max(most, count);
    EXPECT_LE(most, 1) << "in second " << second;
    if (second > 1) {
      EXPECT_GT(sent.size(), kTopics * 9 / 10) << "nobody starves";
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, MaxRate,
                         testing::Values(MaxRateCase{"PatternPlain", true, Compression::kNone},
                                         MaxRateCase{"PatternDeflate", true, Compression::kContext},
                                         MaxRateCase{"ExactPlain", false, Compression::kNone},
                                         MaxRateCase{"ExactDeflate", false, Compression::kContext}),
                         [](const auto& info) { return info.param.name; });

// Whatever was owed under the old pace, an exact topic's and a pattern's, a value's and an event's.
TEST(MaxRateOfASecondSubscribe, CountsAtOnce) {
  for (const std::string subscription : {"v.a", "v.*", "e.a", "e.*"}) {
    for (const std::string again : {"", R"(,"max_rate":1000)", R"(,"snapshot":false)", R"(,"last":2)",
                                    R"(,"last":4,"max_rate":1000)"}) {
      Plant plant({}, {{.pattern = "e.>", .delivery = Delivery::kEvent}, {.pattern = ">", .ring = 8}});
      const std::string topic = subscription.substr(0, 2) + "a";
      Client client(plant);
      const auto publish = [&](int count) {
        for (int i = 0; i < count; ++i) plant.publish(topic, R"({"n":1})");
        plant.shard.run();
      };
      const auto heard_soon = [&] {
        for (int ms = 0; ms < 10; ++ms) {
          plant.shard.run();
          plant.clock.advance_ms(1);
        }
        Lines heard = client.heard();
        std::erase_if(heard, [](const std::string& line) { return line.starts_with("status"); });
        return heard;
      };
      publish(3);
      client.subscribe(subscription, R"(,"max_rate":0.05)");
      heard_soon();
      publish(1);
      publish(1);
      ASSERT_EQ(heard_soon(), Lines{}) << "20 s a message";
      client.subscribe(subscription, again);
      const Lines heard = heard_soon();
      const std::string how = subscription + again;
      ASSERT_GE(heard.size(), 2U) << how;
      EXPECT_EQ(heard.front(), "ack") << how;
      EXPECT_TRUE(heard.back().ends_with(topic + " 5")) << how << ": " << heard.back();
      publish(1);
      const Lines next = heard_soon();
      ASSERT_EQ(next.size(), 1U) << how;
      EXPECT_TRUE(next.back().ends_with(topic + " 6")) << how << ": " << next.back();
    }
  }
}

}  // namespace
}  // namespace tickwire
