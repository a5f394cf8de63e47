// The command get: the state of topics, once.
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

}  // namespace
}  // namespace tickwire
