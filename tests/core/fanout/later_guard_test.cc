// A guard that is loaded while subscriptions that it has a say in are there.
#include <set>
#include <string>

#include "answering.h"

namespace tickwire {
namespace {

struct LaterGuard : testing::Test {
  LaterGuard() {
    for (const char* const topic : {"vip.a", "free.a"}) plant.publish(topic, R"({"n":1})");
    client.heard();
  }
  void load(const std::string& guard) {
    plant.access.guards.push_back(Pattern::parse(guard).value());
    plant.shard.guard_loaded(plant.access.guards.back());
    plant.run();
  }
  Lines subscribed(const std::string& topic) {
    client.subscribe(topic);
    plant.run();
    return client.heard();
  }
  void publish_all() {
    for (const char* const topic : {"vip.a", "free.a"}) plant.publish(topic, R"({"n":2})");
    plant.run();
  }

  Answering plant;
  Client client{plant};
};

TEST_F(LaterGuard, EndsWhatItDenies) {
  subscribed("vip.a");
  load("vip.>");
  ASSERT_EQ(plant.asked(), 1U);
  plant.answer(deny(plant.last(), "members only"));
  publish_all();
  EXPECT_EQ(client.heard(), (Lines{"error vip.a"}));
}

TEST_F(LaterGuard, LeavesWhatItAllowsAsItIs) {
  subscribed("vip.a");
  load("vip.>");
  plant.answer(allow(plant.last()));
  publish_all();
  plant.pass_ms(100'000);
  publish_all();
  EXPECT_EQ(client.heard(), (Lines{"update vip.a 2", "update vip.a 3"}));
}

TEST_F(LaterGuard, IsWaitedForOnlyAsLongAsAnAnswerMayTake) {
  subscribed("vip.a");
  load("vip.>");
  plant.pass_ms(1'999);
  publish_all();
  EXPECT_EQ(client.heard(), (Lines{"update vip.a 2"}));
  plant.pass_ms(1);
  publish_all();
  EXPECT_EQ(client.heard(), (Lines{"error vip.a"})) << "nobody said that it may go on";
  plant.pass_ms(2'000);
  plant.answer(allow(plant.last()));
  EXPECT_EQ(client.heard(), (Lines{"snapshot vip.a 3"})) << "it is asked again and again";
}

TEST_F(LaterGuard, HidesItsTopicsOfAPattern) {
  subscribed(">");
  load("vip.>");
  ASSERT_EQ(plant.asked(), 1U);
  AccessAnswer hides = allow(plant.last());
  hides.guards = {{Pattern::parse("vip.>").value(), false, {}}};
  plant.answer(hides);
  client.heard();
  publish_all();
  plant.publish("vip.new", R"({"n":1})");
  plant.publish("free.new", R"({"n":1})");
  plant.run();
  EXPECT_EQ(client.heard(), (Lines{"update free.a 2", "update free.new 1"}));
}

TEST_F(LaterGuard, IsNotAskedAboutWhatItDoesNotGuard) {
  subscribed("free.a");
  subscribed("free.*");
  load("vip.>");
  EXPECT_EQ(plant.asked(), 0U);
}

TEST_F(LaterGuard, IsAskedAboutWhatAnotherOneAllowed) {
  load("vip.a");
  client.subscribe("vip.a");
  plant.answer(allow(plant.last()));
  client.heard();
  plant.asked();
  load("vip.>");
  ASSERT_EQ(plant.asked(), 1U);
  plant.answer(deny(plant.last(), "no"));
  EXPECT_EQ(client.heard(), (Lines{"error vip.a"}));
}

TEST_F(LaterGuard, VoidsAnAnswerOfTheGuardsBeforeIt) {
  load("vip.a");
  client.subscribe("vip.a");
  plant.run();
  const AccessQuestion before = plant.last();
  load("vip.>");
  plant.answer(allow(before));
  publish_all();
  EXPECT_TRUE(client.heard().empty());
  plant.answer(deny(plant.last(), "no"));
  EXPECT_EQ(client.heard(), (Lines{"ack"})) << "with the refusal";
  publish_all();
  EXPECT_TRUE(client.heard().empty());
}

// A command of thousands of topics is carried out in pieces, and a guard may be loaded between two of them.
TEST_F(LaterGuard, IsAskedAboutACommandThatIsUnderWay) {
  constexpr std::size_t kMany = 5'000;
  std::string topics;
  for (std::size_t i = 1; i < kMany; ++i) topics += "\"free." + std::to_string(i) + "\",";
  topics += R"("vip.a")";
  client.say(R"({"type":"subscribe","snapshot":false,"topics":[)" + topics + "]}");
  load("vip.>");
  EXPECT_GT(plant.access.questions.size(), 0U);
  for (std::size_t i = 0; i < plant.access.questions.size(); ++i)
    plant.answer(deny(plant.access.questions[i], "no"));
  client.heard();
  publish_all();
  EXPECT_TRUE(client.heard().empty());
}

TEST_F(LaterGuard, ReachesEachSessionOfManyThatAreThere) {
  std::vector<std::unique_ptr<Client>> others;
  for (int i = 0; i < 300; ++i) {
    others.push_back(std::make_unique<Client>(plant));
    others.back()->subscribe(i % 2 == 0 ? "vip.a" : "vip.*");
  }
  plant.run();
  load("vip.>");
  EXPECT_EQ(plant.asked(), others.size());
  for (std::size_t i = 0; i < others.size(); ++i) plant.shard.answer(deny(plant.access.questions[i], "no"));
  plant.run();
  for (const auto& other : others) other->heard();
  publish_all();
  for (const auto& other : others) EXPECT_TRUE(other->heard().empty());
}

}  // namespace
}  // namespace tickwire
