#include "answering.h"
#include "base/work.h"
#include "protocol/command.h"

namespace tickwire {
namespace {

std::string guarded_topics(std::size_t count) {
  std::string topics;
  for (std::size_t i = 0; i < count; ++i) {
    topics += (i > 0 ? ",\"" : "\"") + std::string("guarded.") + std::to_string(i) + '"';
  }
  return topics;
}

// 16 commands of kTopicsPerCommandMax topics may wait.
ShardConfig much_room() {
  ShardConfig config;
  config.waiting_bytes = {std::size_t{64} << 20U, std::size_t{64} << 20U, std::size_t{64} << 20U};
  return config;
}

TEST(Admission, ASessionHasSoManyQuestionsOpenAndItsOthersWaitInLine) {
  Answering plant;
  Client client(plant);
  client.heard();
  const std::string topics = guarded_topics(1'000);
  client.say(R"({"type":"subscribe","topics":[)" + topics + "]}");
  plant.run();
  EXPECT_EQ(plant.access.questions.size(), kSessionQuestionsMax);
  for (std::size_t i = 0; i < 1'000; ++i) {
    ASSERT_LE(plant.access.questions.size(), i + kSessionQuestionsMax);
    plant.answer(allow(plant.access.questions.at(i)));
  }
  EXPECT_EQ(client.socket.take().at(0)["results"].size(), 1'000U);
  EXPECT_EQ(plant.shard.stats().subscriptions, 1'000U);
}

TEST(Admission, AnUnsubscribeTakesBackWhatStillWaits) {
  Answering plant;
  Client client(plant);
  client.subscribe("guarded.a");
  client.unsubscribe("guarded.a");
  plant.answer(allow(plant.access.questions[0]));
  plant.publish("guarded.a", R"({"p":1})");
  plant.run();
  EXPECT_EQ(client.heard(), (Lines{"welcome", "ack", "ack"}));
}

TEST(Admission, AnUnsubscribeTakesBackOnlyItsTopicsAndOnlyOfItsSession) {
  Answering plant;
  Client client(plant);
  Client other(plant);
  client.heard();
  client.say(R"({"type":"subscribe","id":1,"topics":["guarded.a","guarded.b"]})");
  client.say(R"({"type":"subscribe","id":2,"topics":["guarded.a","open.c"]})");
  other.subscribe("guarded.a");
  client.say(R"({"type":"unsubscribe","id":3,"topics":["guarded.a","open.c","guarded.d"]})");
  const auto left = client.socket.take().at(0);
  EXPECT_FALSE(left["results"][0].contains("error"));
  EXPECT_FALSE(left["results"][1].contains("error"));
  EXPECT_EQ(left["results"][2]["error"]["code"], "not_subscribed");
  for (const AccessQuestion& question : plant.access.questions) plant.shard.answer(allow(question));
  plant.run();
  const auto acks = client.socket.take();
  ASSERT_EQ(acks.size(), 2U);
  for (const auto& result : {acks[0]["results"][0], acks[1]["results"][0], acks[1]["results"][1]}) {
    EXPECT_EQ(result["error"]["code"], "not_subscribed") << result;
  }
  EXPECT_EQ(acks[0]["results"][1]["seq"], 0);
  EXPECT_EQ(plant.shard.stats().subscriptions, 2U) << "guarded.b, and that of the other";
}

TEST(Admission, AnUnsubscribeOfManyTopicsCostsTheSameHoweverManyWait) {
  Answering plant(much_room());
  Client client(plant);
  const std::string topics = guarded_topics(kTopicsPerCommandMax);
  for (int i = 0; i < 16; ++i) client.say(R"({"type":"subscribe","topics":[)" + topics + "]}");
  plant.run();
  client.socket.take();
  const std::uint64_t before = Work::done();
  client.say(R"({"type":"unsubscribe","topics":[)" + topics + "]}");
  plant.run();
  EXPECT_EQ(client.socket.take().at(0)["results"].size(), kTopicsPerCommandMax);
  const std::uint64_t steps = Work::done() - before;
  EXPECT_GT(steps, 2 * kTopicsPerCommandMax) << "each topic is looked up, and answered";
  EXPECT_LT(steps, 16 * kTopicsPerCommandMax) << "but not in each subscribe that waits";
}

TEST(Admission, ManyGuardedTopicsAreLookedAtInPiecesAndAgainForANewToken) {
  Answering plant(much_room());
  plant.access.authenticator = true;
  Client client(plant);
  client.socket.take();
  constexpr std::uint64_t kStepsMax = 4 * kPieceSteps;
  std::uint64_t longest = 0;
  const auto measure = [&longest](const auto& call) {
    const std::uint64_t before = Work::done();
    call();
    longest = std::max(longest, Work::done() - before);
  };
  const auto rest = [&] {
    std::int64_t wait = 0;
    while (wait == 0) measure([&] { wait = plant.shard.run(); });
  };
  const auto subscribe = [&] {
    client.say(R"({"type":"subscribe","topics":[)" + guarded_topics(kTopicsPerCommandMax) + "]}");
    rest();
  };
  for (int i = 0; i < 16; ++i) subscribe();
  EXPECT_EQ(plant.access.questions.size(), kSessionQuestionsMax);
  client.say(R"({"type":"auth","token":"new"})");
  ASSERT_EQ(plant.access.questions.size(), kSessionQuestionsMax) << "its own room is full";
  for (std::size_t i = 0; plant.shard.stats().subscriptions < kTopicsPerCommandMax; ++i) {
    ASSERT_LT(i, 40 * kTopicsPerCommandMax);
    ASSERT_LT(i, plant.access.questions.size());
    measure([&] { plant.shard.answer(allow(plant.access.questions[i])); });
    rest();
  }
  EXPECT_LT(longest, kStepsMax);
}

TEST(Admission, QuestionsForWhichThereIsNoRoomAreAnsweredInPieces) {
  Answering plant;
  plant.access.room = false;
  Client client(plant);
  client.socket.take();
  client.say(R"({"type":"subscribe","topics":[)" + guarded_topics(kTopicsPerCommandMax) + "]}");
  std::size_t most = plant.access.refused;
  for (std::int64_t wait = 0; wait == 0;) {
    const std::size_t before = plant.access.refused;
    wait = plant.shard.run();
    most = std::max(most, plant.access.refused - before);
  }
  EXPECT_EQ(plant.access.refused, kTopicsPerCommandMax);
  EXPECT_LT(most, kPieceSteps);
  EXPECT_EQ(client.socket.take().at(0)["results"].size(), kTopicsPerCommandMax);
}

TEST(Admission, ManyQuestionsThatAreLateAreClosedInPieces) {
  Answering plant;
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 16; ++i) {
    clients.push_back(std::make_unique<Client>(plant));
    clients.back()->say(R"({"type":"subscribe","topics":[)" + guarded_topics(kSessionQuestionsMax) + "]}");
  }
  plant.run();
  ASSERT_EQ(plant.access.questions.size(), 16 * kSessionQuestionsMax);
  plant.clock.advance_ms(2'000);
  std::size_t most = 0;
  for (std::int64_t wait = 0; wait == 0;) {
    const std::size_t before = plant.access.closed.size();
    wait = plant.shard.run();
    most = std::max(most, plant.access.closed.size() - before);
  }
  EXPECT_EQ(plant.access.closed.size(), 16 * kSessionQuestionsMax);
  EXPECT_LT(most, kPieceSteps);
  for (const auto& client : clients) EXPECT_EQ(client->heard(), (Lines{"welcome", "ack"}));
}

TEST(Admission, TheOpenQuestionsOfASessionAreLimitedExactly) {
  Answering plant;
  Client client(plant);
  client.say(R"({"type":"subscribe","topics":[)" + guarded_topics(kSessionQuestionsMax) + "]}");
  plant.run();
  EXPECT_EQ(plant.access.questions.size(), kSessionQuestionsMax);
  EXPECT_EQ(plant.limited(Limit::kSessionQuestions), 0U);
  client.leave();
  Client second(plant);
  second.say(R"({"type":"subscribe","topics":[)" + guarded_topics(kSessionQuestionsMax + 2) + "]}");
  plant.run();
  EXPECT_EQ(plant.access.questions.size(), 2 * kSessionQuestionsMax) << "two wait in line";
  EXPECT_EQ(plant.limited(Limit::kSessionQuestions), 1U);
  for (std::size_t i = 0; i < kSessionQuestionsMax + 2; ++i) {
    plant.shard.answer(allow(plant.access.questions[kSessionQuestionsMax + i]));
    plant.run();
  }
  EXPECT_EQ(plant.shard.stats().subscriptions, kSessionQuestionsMax + 2);
  EXPECT_EQ(plant.limited(Limit::kSessionQuestions), 1U) << "once for one line";
}

TEST(Admission, WhereAuthorizersHaveNoRoomThatLimitIsCounted) {
  Answering plant;
  Client client(plant);
  client.socket.take();
  plant.access.room = false;
  client.say(R"({"type":"subscribe","topics":["guarded.a","guarded.b"]})");
  const auto results = client.socket.take().at(0)["results"];
  EXPECT_EQ(results[0]["error"]["code"], "unavailable");
  EXPECT_EQ(plant.limited(Limit::kOpenQuestions), 2U);
}

TEST(Admission, CommandsThatWaitAreLimitedExactly) {
  Answering plant;
  Client client(plant);
  for (int i = 0; i < 16; ++i) client.subscribe("guarded.a");
  EXPECT_EQ(client.heard(), (Lines{"welcome"}));
  client.subscribe("guarded.a");
  EXPECT_EQ(client.socket.take().at(0)["code"], "too_many");
  EXPECT_EQ(plant.limited(Limit::kCommandsPending), 1U);
  plant.answer(allow(plant.access.questions[0]));
  client.subscribe("guarded.a");
  EXPECT_EQ(client.heard(), (Lines{"ack"}));
}

}  // namespace
}  // namespace tickwire
