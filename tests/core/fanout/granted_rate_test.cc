// A max_rate that a grant demands is kept, whatever the client does to begin again.
#include <functional>
#include <ostream>

#include "answering.h"
#include "session/sent_lately.h"

namespace tickwire {
namespace {

using nlohmann::json;

constexpr int kSeconds = 10;

struct Trick {
  const char* name;
  // Done ten times a second.
  std::function<void(Client&, int)> again;
};

void PrintTo(const Trick& trick, std::ostream* out) {
  *out << trick.name;
}

void ask(Client& client, const char* type, const std::string& topic, const json& more = json::object()) {
  json command{{"type", type}, {"topics", {topic}}};
  command.update(more);
  client.say(command.dump());
}

const std::string& nth_of(const std::vector<std::string>& texts, int nth) {
  return texts[static_cast<std::size_t>(nth) % texts.size()];
}

// Other names for the same topic.
const std::vector<std::string> kNames{"guarded.a.b", "guarded.a.*", "guarded.*.b", "guarded.>",
                                      "guarded.*.*"};

class GrantedRate : public testing::TestWithParam<Trick> {};

TEST_P(GrantedRate, IsNotExceeded) {
  Answering plant;
  Client client(plant);
  std::size_t answered = 0;
  const auto answer_all = [&] {
    for (plant.run(); answered < plant.access.questions.size(); plant.run()) {
      AccessAnswer given = allow(plant.access.questions[answered++]);
      given.max_rate = 1;
      plant.shard.answer(given);
    }
  };
  plant.publish("guarded.a.b", R"({"n":0})");
  int messages = 0;
  for (int i = 1; i <= kSeconds * 10; ++i) {
    plant.publish("guarded.a.b", json{{"n", i}}.dump());
    GetParam().again(client, i);
    answer_all();
    plant.clock.advance_ms(100);
    answer_all();
    for (const json& message : client.socket.take()) messages += message.contains("data") ? 1 : 0;
  }
  EXPECT_LE(messages, kSeconds + 2);
  EXPECT_GE(messages, kSeconds / 2) << "it is served";
}

INSTANTIATE_TEST_SUITE_P(
    Tricks, GrantedRate,
    testing::Values(
        Trick{"Subscribed",
              [](Client& client, int i) {
                if (i == 1) ask(client, "subscribe", kNames[0]);
              }},
        Trick{"SubscribedAgain", [](Client& client, int) { ask(client, "subscribe", kNames[0]); }},
        Trick{"PatternSubscribedAgain", [](Client& client, int) { ask(client, "subscribe", kNames[1]); }},
        Trick{"LeftAndSubscribed",
              [](Client& client, int) {
                ask(client, "unsubscribe", kNames[0]);
                ask(client, "subscribe", kNames[0]);
              }},
        Trick{"PatternLeftAndSubscribed",
              [](Client& client, int) {
                ask(client, "unsubscribe", kNames[1]);
                ask(client, "subscribe", kNames[1]);
              }},
        Trick{"AnotherNameEachTime",
              [](Client& client, int i) {
                ask(client, "unsubscribe", nth_of(kNames, i));
                ask(client, "subscribe", nth_of(kNames, i + 1));
              }},
        Trick{"AllNamesComeAndGo",
              [](Client& client, int i) {
                ask(client, i % 2 == 0 ? "unsubscribe" : "subscribe", nth_of(kNames, i));
              }},
        Trick{"Since",
              [](Client& client, int i) {
                ask(client, "unsubscribe", kNames[0]);
                ask(client, "subscribe", kNames[0], {{"since", {{"guarded.a.b", i}}}, {"epoch", "e1"}});
              }},
        Trick{"SinceTheBeginning",
              [](Client& client, int) {
                ask(client, "subscribe", kNames[0], {{"since", {{"guarded.a.b", 1}}}, {"epoch", "e1"}});
              }},
        Trick{"PatternSince",
              [](Client& client, int i) {
                ask(client, "unsubscribe", kNames[1]);
                ask(client, "subscribe", kNames[1], {{"since", {{"guarded.a.b", i}}}, {"epoch", "e1"}});
              }},
        Trick{"Last", [](Client& client, int) { ask(client, "subscribe", kNames[1], {{"last", 100}}); }},
        Trick{"AHigherRate",
              [](Client& client, int i) { ask(client, "subscribe", kNames[0], {{"max_rate", 100 + i}}); }}),
    [](const auto& info) { return info.param.name; });

TEST(GrantedRate, WhatBeginsInOneCommandBeginsAtOnce) {
  Answering plant;
  Client client(plant);
  for (const char* const topic : {"guarded.a", "guarded.b"}) plant.publish(topic, "{}");
  client.say(R"({"type":"subscribe","topics":["guarded.a","guarded.b"]})");
  while (plant.access.questions.size() < 2) plant.run();
  for (const AccessQuestion& question : std::vector(plant.access.questions)) {
    AccessAnswer given = allow(question);
    given.max_rate = 0.02;
    plant.answer(given);
  }
  EXPECT_EQ(client.heard(), (Lines{"welcome", "ack", "snapshot guarded.a 1", "snapshot guarded.b 1"}));
}

TEST(SentLately, ForgetsWithTimeAndTakesEverythingForSentBeyondItsLimit) {
  SentLately sent;
  const auto has = [&](const char* text, std::int64_t now) {
    return sent.has(Pattern::parse(text).value(), now);
  };
  for (std::size_t i = 0; i < kSentLatelyMax; ++i) sent.note("a." + std::to_string(i), 1'000, 0);
  EXPECT_TRUE(has("a.*", 999));
  EXPECT_TRUE(has("a.0", 999));
  EXPECT_FALSE(has("b", 999));
  EXPECT_FALSE(has("a.0", 1'000));
  sent.note("c", 500, 0);
  EXPECT_TRUE(has("b", 999)) << "one more than there is room for";
  EXPECT_FALSE(has("b", 1'000));
  sent.note("c", 2'000, 1'500);
  EXPECT_FALSE(has("b", 1'600));
  EXPECT_TRUE(has("c", 1'600));
}

}  // namespace
}  // namespace tickwire
