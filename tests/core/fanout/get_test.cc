// The command get: the state of topics, once.
#include <random>
#include <set>

#include "answering.h"
#include "base/work.h"
#include "fakes/fake_offload.h"

namespace tickwire {
namespace {

using nlohmann::json;

TEST(Get, AnswersOnceWithoutSubscribing) {
  Plant plant;
  plant.publish("a.1", R"({"n":1.00,"s":"0.10"})");
  plant.publish("a.1", R"({"m":2})");
  Client client(plant);
  client.heard();
  client.say(R"({"type":"get","id":7,"topics":["a.*","none","b d"]})");
  const json ack = client.socket.take().at(0);
  EXPECT_EQ(ack["type"], "ack");
  EXPECT_EQ(ack["id"], 7);
  EXPECT_EQ(ack["epoch"], "e1");
  EXPECT_FALSE(ack.contains("next"));
  ASSERT_EQ(ack["results"].size(), 3U);
  EXPECT_EQ(ack["results"][0]["topic"], "a.1");
  EXPECT_EQ(ack["results"][0]["seq"], 2);
  EXPECT_EQ(ack["results"][0]["status"], "live");
  EXPECT_EQ(ack["results"][0]["data"], (json{{"n", 1.0}, {"s", "0.10"}, {"m", 2}}));
  EXPECT_EQ(ack["results"][1]["error"]["code"], "unknown_topic");
  EXPECT_EQ(ack["results"][2]["error"]["code"], "bad_topic");
  plant.publish("a.1", R"({"m":3})");
  plant.run();
  EXPECT_EQ(client.heard(), Lines{}) << "it is not subscribed";
}

TEST(Get, IsTheSameInEveryFormat) {
  for (const Format format : {Format::kJson, Format::kMsgpack, Format::kCbor}) {
    Plant plant;
    plant.publish("e.1", R"({"n":1})");
    Client client(plant, {}, Compression::kNone, format);
    client.heard();
    client.say(R"({"type":"get","id":"x","topics":["e.1","e.*","none"],"limit":1})");
    const json ack = client.socket.take().at(0);
    EXPECT_EQ(ack["results"].size(), 1U);
    EXPECT_EQ(ack["results"][0]["data"]["n"], 1);
    client.say(R"({"type":"get","topics":["e.1","e.*","none"],"after":")" + ack["next"].get<std::string>() +
               "\"}");
    EXPECT_EQ(client.socket.take().at(0)["results"][0]["error"]["code"], "unknown_topic");
  }
}

TEST(Get, AsksTheAuthorizersAsASubscribeDoes) {
  Answering plant;
  plant.publish("guarded.a", "{}");
  plant.publish("open", "{}");
  Client client(plant);
  client.heard();
  client.say(R"({"type":"get","id":1,"topics":["open","guarded.a","secret.a"]})");
  EXPECT_EQ(client.heard(), Lines{});
  plant.answer(allow(plant.last()));
  json results = client.socket.take().at(0)["results"];
  EXPECT_EQ(results[0]["seq"], 1);
  EXPECT_EQ(results[1]["seq"], 1);
  EXPECT_EQ(results[2]["error"]["code"], "denied");
  client.say(R"({"type":"get","id":2,"topics":["guarded.*"]})");
  plant.answer(deny(plant.last(), "not yours"));
  results = client.socket.take().at(0)["results"];
  EXPECT_EQ(results[0]["topic"], "guarded.*");
  EXPECT_EQ(results[0]["error"]["message"], "guarded.*: not yours");
}

TEST(Get, OfPatternsIsHeldToTheRateOfListsAndOfTopicsToThatOfCommands) {
  ShardConfig config;
  config.rates.session = {Rate{100}, Rate{1}, Rate{1}};
  Plant plant(config);
  Client client(plant);
  client.heard();
  for (int i = 0; i < 3; ++i) {
    client.say(R"({"type":"get","topics":["a"]})");
    EXPECT_EQ(client.socket.take().at(0)["type"], "ack");
  }
  for (int i = 0; i < 2; ++i) {  // what two seconds allow
    client.say(R"({"type":"get","topics":["a.*"]})");
    EXPECT_EQ(client.socket.take().at(0)["type"], "ack");
  }
  client.say(R"({"type":"get","topics":["a.*"]})");
  EXPECT_EQ(client.socket.take().at(0)["code"], "too_many");
}

TEST(Get, ALargeAnswerInABinaryFormatIsWrittenByAWorker) {
  FakeOffload offload;
  ShardConfig config;
  config.offload = &offload;
  Plant plant(config);
  plant.publish("a", R"({"x":")" + std::string(kOnLoopBytesMax, 'x') + "\"}");
  Client client(plant, {}, Compression::kNone, Format::kCbor);
  client.heard();
  client.say(R"({"type":"get","id":1,"topics":["a"]})");
  client.say(R"({"type":"ping","id":2})");
  EXPECT_EQ(client.heard(), Lines{});
  for (int i = 0; i < 10; ++i) {
    offload.run_all();
    plant.run();
  }
  EXPECT_EQ(client.heard(), (Lines{"ack", "pong"}));
  offload.end();
}

TEST(Get, OfThousandsIsDoneInPieces) {
  Plant plant;
  std::string topics;
  for (int i = 0; i < 9'000; ++i) {
    plant.publish("t.x" + std::to_string(i), R"({"n":1})");
    topics += (i > 0 ? ",\"t.x" : "\"t.x") + std::to_string(i) + "\"";
  }
  Client client(plant);
  client.heard();
  std::uint64_t before = Work::done();
  client.say(R"({"type":"get","id":1,"topics":[)" + topics + "]}");
  EXPECT_EQ(client.heard(), Lines{});
  std::uint64_t longest = 0;
  int runs = 0;
  for (std::int64_t wait = 0; wait == 0; ++runs) {
    before = Work::done();
    wait = plant.shard.run();
    longest = std::max(longest, Work::done() - before);
  }
  EXPECT_LT(longest, 4 * kPieceSteps);
  EXPECT_GT(runs, 5);
  EXPECT_EQ(client.socket.take().at(0)["results"].size(), 9'000U);
}

TEST(Get, OfPatternsThatOverlapIsDoneInPiecesAndLooksNoFurtherThanTheFirstThatShowsATopic) {
  Plant plant;
  for (int i = 0; i < 1'000; ++i) plant.publish("a.b.c.d.e.f.g.h." + std::to_string(i), R"({"n":1})");
  std::string topics;
  for (unsigned mask = 0; mask < 100; ++mask) {
    topics += mask > 0 ? ",\"" : "\"";
    for (unsigned token = 0; token < 8; ++token)
      topics += ((mask >> token) & 1U) != 0 ? "*." : std::string(1, static_cast<char>('a' + token)) + ".";
    topics += "*\"";
  }
  Client client(plant);
  client.heard();
  const std::uint64_t first = Work::done();
  client.say(R"({"type":"get","id":1,"topics":[)" + topics + "]}");
  std::uint64_t longest = 0;
  for (std::int64_t wait = 0; wait == 0;) {
    const std::uint64_t before = Work::done();
    wait = plant.shard.run();
    longest = std::max(longest, Work::done() - before);
  }
  EXPECT_LT(longest, 4 * kPieceSteps);
  EXPECT_LT(Work::done() - first, 100U * 1'000U * 20U) << "a look at one pattern, not at all that match";
  EXPECT_EQ(client.socket.take().at(0)["results"].size(), 1'000U);
}

// Random names and patterns; page after page is what a plain search through all topics finds.
TEST(Get, PagesOfPatternsThatOverlapShowEachTopicOnceWhereItIsFirstAskedFor) {
  Plant plant;
  std::mt19937 chance(20'251);
  const auto below = [&chance](unsigned n) { return static_cast<unsigned>(chance() % n); };
  std::set<std::string> names;
  while (names.size() < 300) {
    std::string name(1, static_cast<char>('a' + below(3)));
    for (unsigned tokens = below(4); tokens > 0; --tokens)
      name += "." + std::string(1, static_cast<char>('a' + below(5)));
    if (names.size() < 100 || name.size() > 3) name += "." + std::to_string(below(100));
    names.insert(name);
  }
  for (const std::string& name : names) plant.publish(name, R"({"n":1})");
  for (int round = 0; round < 30; ++round) {
    std::vector<std::string> asked;
    for (int i = 0; i < 8; ++i) {
      std::string topic = *std::next(names.begin(), below(300));
      for (std::size_t place = 0; place < topic.size(); place += 2) {
        if (topic[place] != '.' && (place + 1 == topic.size() || topic[place + 1] == '.') && below(3) == 0)
          topic[place] = '*';
      }
      if (below(4) == 0 && topic.size() > 3) topic = topic.substr(0, topic.rfind('.')) + ".>";
      asked.push_back(topic);
    }
    std::vector<std::string> expected;
    for (const std::string& topic : asked) {
      const Pattern pattern = Pattern::parse(topic).value();
      for (const std::string& name : names) {
        if (pattern.matches(name) && std::ranges::find(expected, name) == expected.end())
          expected.push_back(name);
      }
    }
    Client client(plant);
    std::vector<std::string> shown;
    std::string after;
    do {
      client.heard();
      client.say(json{{"type", "get"}, {"id", 1}, {"topics", asked}, {"limit", 7}, {"after", after}}.dump());
      plant.run();
      const json ack = client.socket.take().at(0);
      for (const json& result : ack["results"]) shown.push_back(result["topic"]);
      after = ack.value("next", "");
      ASSERT_LE(shown.size(), expected.size());
    } while (!after.empty());
    EXPECT_EQ(shown, expected) << json(asked).dump();
  }
}

}  // namespace
}  // namespace tickwire
