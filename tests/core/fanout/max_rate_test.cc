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

}  // namespace
}  // namespace tickwire
