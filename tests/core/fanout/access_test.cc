#include <chrono>

#include "fanout/commands.h"
#include "plant.h"

namespace tickwire {
namespace {

AccessAnswer allow(const AccessQuestion& question, std::int64_t ttl_ms = 0, std::string text = "") {
  return {question.id, true, ttl_ms, std::move(text)};
}
AccessAnswer deny(const AccessQuestion& question, std::string reason) {
  return {question.id, false, 0, std::move(reason)};
}
AccessAnswer overload(const AccessQuestion& question) {
  return {question.id, false, 0, "too many wait", true};
}

struct Answering : Plant {
  using Plant::Plant;
  void answer(const AccessAnswer& given) {
    shard.answer(given);
    run();
  }
};

TEST(Access, TheAckWaitsForTheAuthorizerAndHoldsEachResult) {
  Answering plant;
  plant.publish("guarded.a", R"({"p":1})");
  Client client(plant);
  client.heard();
  client.say(R"({"type":"subscribe","id":5,"topics":["guarded.a","guarded.b","secret.c","open.d"]})");
  EXPECT_TRUE(client.heard().empty());
  ASSERT_EQ(plant.access.questions.size(), 2U);
  plant.answer(deny(plant.access.questions[1], "subscription required"));
  EXPECT_TRUE(client.heard().empty());
  plant.answer(allow(plant.access.questions[0]));
  const auto messages = client.socket.take();
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(messages[0]["id"], 5);
  EXPECT_EQ(messages[0]["results"][0]["seq"], 1);
  EXPECT_EQ(messages[0]["results"][1]["error"]["message"], "guarded.b: subscription required");
  EXPECT_EQ(messages[0]["results"][2]["error"]["code"], "denied");
  EXPECT_EQ(messages[0]["results"][3]["seq"], 0);
  EXPECT_EQ(messages[1]["type"], "snapshot");
}

TEST(Access, LateMeansDenied) {
  Answering plant;
  Client client(plant);
  client.subscribe("guarded.a");
  plant.clock.advance_ms(1999);
  plant.shard.tick();
  EXPECT_EQ(client.heard(), (Lines{"welcome"}));
  plant.clock.advance_ms(1);
  plant.shard.tick();
  const auto ack = client.socket.take().at(0);
  EXPECT_EQ(ack["results"][0]["error"]["message"], "guarded.a: no answer within 2000 ms");
  plant.answer(allow(plant.access.questions[0]));
  plant.publish("guarded.a", R"({"p":1})");
  plant.run();
  EXPECT_TRUE(client.heard().empty()) << "an answer after its deadline changes nothing";
}

TEST(Access, AnExpiredGrantIsAskedAgainAndARefusalEndsTheSubscription) {
  Answering plant;
  Client client(plant);
  client.subscribe("guarded.a");
  plant.answer(allow(plant.access.questions[0], 1000));
  plant.clock.advance_ms(1000);
  plant.shard.tick();
  ASSERT_EQ(plant.access.questions.size(), 2U);
  plant.answer(allow(plant.access.questions[1], 1000));
  plant.publish("guarded.a", R"({"p":1})");
  plant.run();
  plant.clock.advance_ms(1000);
  plant.shard.tick();
  ASSERT_EQ(plant.access.questions.size(), 3U);
  plant.answer(deny(plant.access.questions[2], "no longer"));
  plant.publish("guarded.a", R"({"p":2})");
  plant.run();
  EXPECT_EQ(client.heard(), (Lines{"welcome", "ack", "update guarded.a 1", "error guarded.a"}));
}

TEST(Access, AGrantIsAskedAgainOnceHoweverOftenItWasGiven) {
  Answering plant;
  Client client(plant);
  for (std::size_t i = 0; i < 3; ++i) {
    client.subscribe("guarded.a");
    plant.answer(allow(plant.access.questions.at(i), 1000));
    if (i < 2) plant.clock.advance_ms(400);
  }
  plant.clock.advance_ms(999);
  plant.shard.tick();
  EXPECT_EQ(plant.access.questions.size(), 3U) << "the last of them counts";
  for (std::size_t asked = 4; asked < 7; ++asked) {
    plant.clock.advance_ms(asked == 4 ? 1 : 1000);
    plant.shard.tick();
    ASSERT_EQ(plant.access.questions.size(), asked);
    plant.answer(allow(plant.access.questions.back(), 1000));
  }
  client.subscribe("guarded.a");
  plant.answer(allow(plant.access.questions.back()));
  plant.clock.advance_ms(10'000);
  plant.shard.tick();
  EXPECT_EQ(plant.access.questions.size(), 7U) << "allowed for ever";
}

TEST(Access, AGrantEndsWithItsSubscriptionAndItsSession) {
  Answering plant;
  {
    Client gone(plant);
    gone.subscribe("guarded.a");
    plant.answer(allow(plant.access.questions.at(0), 1000));
  }
  Client client(plant);
  client.subscribe("guarded.a");
  plant.answer(allow(plant.access.questions.at(1), 1000));
  client.unsubscribe("guarded.a");
  client.subscribe("guarded.a");
  plant.clock.advance_ms(1000);
  plant.shard.tick();
  plant.answer(allow(plant.access.questions.at(2), 1000));
  EXPECT_EQ(plant.access.questions.size(), 3U);
  plant.clock.advance_ms(1000);
  plant.shard.tick();
  EXPECT_EQ(plant.access.questions.size(), 4U);
}

TEST(Access, WhatNobodyLookedAtIsTooManyAndCanBeTriedAgain) {
  Answering plant;
  plant.access.authenticator = true;
  plant.access.publish = true;
  Client client(plant);
  client.subscribe("guarded.a");
  client.say(R"({"type":"publish","topic":"guarded.a","data":{}})");
  client.say(R"({"type":"auth","token":"t"})");
  client.socket.take();
  ASSERT_EQ(plant.access.questions.size(), 3U);
  for (const AccessQuestion& question : plant.access.questions) plant.shard.answer(overload(question));
  plant.run();
  const auto told = client.socket.take();
  ASSERT_EQ(told.size(), 3U);
  for (const auto& error : {told[0]["results"][0]["error"], told[1], told[2]}) {
    EXPECT_EQ(error["code"], "too_many");
    EXPECT_EQ(error["retryable"], true);
  }
  EXPECT_EQ(told[1]["message"], "guarded.a: too many wait");
  client.subscribe("guarded.a");
  plant.answer(allow(plant.access.questions.at(3)));
  EXPECT_EQ(client.heard(), (Lines{"ack"}));
}

TEST(Access, ARenewalThatNobodyLookedAtKeepsTheSubscriptionAndIsAskedAgain) {
  Answering plant;
  Client client(plant);
  client.subscribe("guarded.a");
  plant.answer(allow(plant.access.questions.at(0), 5'000));
  plant.clock.advance_ms(5'000);
  for (std::size_t asked = 2; asked < 5; ++asked) {
    plant.shard.tick();
    ASSERT_EQ(plant.access.questions.size(), asked);
    plant.answer(overload(plant.access.questions.back()));
    plant.clock.advance_ms(kRenewalRetryMs - 1);
    plant.shard.tick();
    ASSERT_EQ(plant.access.questions.size(), asked);
    plant.clock.advance_ms(1);
  }
  plant.publish("guarded.a", R"({"p":1})");
  plant.run();
  plant.shard.tick();
  plant.answer(deny(plant.access.questions.back(), "no longer"));
  EXPECT_EQ(client.heard(), (Lines{"welcome", "ack", "update guarded.a 1", "error guarded.a"}));
}

TEST(Access, AnUnsubscribeTakesBackWhatStillWaits) {
  Answering plant;
  Client client(plant);
  client.subscribe("guarded.a");
  client.unsubscribe("guarded.a");
  plant.answer(allow(plant.access.questions[0]));
  plant.publish("guarded.a", R"({"p":1})");
  plant.run();
  EXPECT_EQ(client.heard(), (Lines{"welcome", "ack", "ack"}));
}

TEST(Access, AnUnsubscribeTakesBackOnlyItsTopicsAndOnlyOfItsSession) {
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

TEST(Access, AnUnsubscribeOfManyTopicsIsQuickWhileManyWait) {
  Answering plant;
  Client client(plant);
  std::string topics;
  for (std::size_t i = 0; i < kTopicsPerCommandMax; ++i) {
    topics += (i > 0 ? ",\"" : "\"") + std::string("guarded.") + std::to_string(i) + '"';
  }
  for (int i = 0; i < 16; ++i) client.say(R"({"type":"subscribe","topics":[)" + topics + "]}");
  plant.run();
  client.socket.take();
  const auto start = std::chrono::steady_clock::now();
  client.say(R"({"type":"unsubscribe","topics":[)" + topics + "]}");
  plant.run();
  const auto took = std::chrono::steady_clock::now() - start;
  EXPECT_EQ(client.socket.take().at(0)["results"].size(), kTopicsPerCommandMax);
  EXPECT_LT(took, std::chrono::seconds(1)) << "not each of them with each that waits";
}

TEST(Access, CommandsThatWaitAreLimitedExactly) {
  Answering plant;
  Client client(plant);
  for (int i = 0; i < 16; ++i) client.subscribe("guarded.a");
  EXPECT_EQ(client.heard(), (Lines{"welcome"}));
  client.subscribe("guarded.a");
  EXPECT_EQ(client.socket.take().at(0)["code"], "too_many");
  plant.answer(allow(plant.access.questions[0]));
  client.subscribe("guarded.a");
  EXPECT_EQ(client.heard(), (Lines{"ack"}));
}

TEST(Access, CommandsAfterATokenWaitForItsClaims) {
  Answering plant;
  plant.access.authenticator = true;
  Client client(plant);
  client.say(R"({"type":"auth","id":1,"token":"t"})");
  EXPECT_FALSE(client.socket.reading);
  client.subscribe("guarded.a");
  ASSERT_EQ(plant.access.questions.size(), 1U);
  EXPECT_EQ(plant.access.questions[0].client.token, "t");
  plant.answer(allow(plant.access.questions[0], 0, R"({"tier":"pro"})"));
  EXPECT_TRUE(client.socket.reading);
  ASSERT_EQ(plant.access.questions.size(), 2U);
  EXPECT_EQ(plant.access.questions[1].client.claims, R"({"tier":"pro"})");
  EXPECT_EQ(client.heard(), (Lines{"welcome", "ack"}));
}

TEST(Access, AnswersForAClientThatLeftAreIgnored) {
  Answering plant;
  plant.access.authenticator = true;
  plant.access.publish = true;
  {
    Client client(plant, {"", "", "token", ""});
    client.leave();
  }
  Client client(plant);
  client.subscribe("guarded.a");
  client.say(R"({"type":"publish","topic":"guarded.a","data":{}})");
  client.leave();
  for (const AccessQuestion& question : plant.access.questions) plant.shard.answer(allow(question));
  plant.run();
  EXPECT_EQ(plant.hub.find("guarded.a"), nullptr);
}

TEST(Publish, IsDeniedUnlessAllowed) {
  Answering plant;
  Client client(plant);
  client.heard();
  client.say(R"({"type":"publish","id":1,"topic":"a","data":{"p":1}})");
  EXPECT_EQ(client.socket.take().at(0)["code"], "denied");
  plant.access.publish = true;
  client.say(R"({"type":"publish","id":2,"topic":"a","data":{"p":1.00}})");
  EXPECT_EQ(client.socket.take().at(0)["results"][0]["seq"], 1);
  EXPECT_EQ(plant.hub.find("a")->data(), R"({"p":1.00})");
  client.say(R"({"type":"publish","id":3,"topic":"a b","data":{}})");
  EXPECT_EQ(client.socket.take().at(0)["code"], "bad_topic");
  client.say(R"({"type":"publish","id":4,"topic":"guarded.a","data":{"p":2}})");
  plant.answer(deny(plant.access.questions[0], "not yours"));
  EXPECT_EQ(client.socket.take().at(0)["message"], "guarded.a: not yours");
}

TEST(List, PagesThroughTheTopicsThatExist) {
  Plant plant;
  for (const char* topic : {"t.c", "t.a", "u.x", "t.b"}) plant.publish(topic, "{}");
  Client client(plant);
  client.subscribe("t.nothing-yet");
  client.socket.take();
  client.say(R"({"type":"list","pattern":"t.*","limit":2})");
  auto ack = client.socket.take().at(0);
  EXPECT_EQ(ack["topics"], (nlohmann::json{"t.a", "t.b"}));
  EXPECT_EQ(ack["next"], "t.b");
  client.say(R"({"type":"list","pattern":"t.*","limit":2,"after":"t.b"})");
  ack = client.socket.take().at(0);
  EXPECT_EQ(ack["topics"], (nlohmann::json{"t.c"}));
  EXPECT_FALSE(ack.contains("next"));
}

TEST(List, LeavesOutTheNamesOfGuardedTopics) {
  Plant plant;
  for (const char* topic : {"a", "guarded.b", "secret.c", "t"}) plant.publish(topic, "{}");
  Client client(plant);
  client.socket.take();
  client.say(R"({"type":"list"})");
  auto ack = client.socket.take().at(0);
  EXPECT_EQ(ack["topics"], (nlohmann::json{"a", "t"}));
  EXPECT_FALSE(ack.contains("next"));
  client.say(R"({"type":"list","limit":1})");
  ack = client.socket.take().at(0);
  EXPECT_EQ(ack["topics"], (nlohmann::json{"a"}));
  EXPECT_EQ(ack["next"], "a");
  client.say(R"({"type":"list","limit":1,"after":")" + ack["next"].get<std::string>() + "\"}");
  ack = client.socket.take().at(0);
  EXPECT_EQ(ack["topics"], (nlohmann::json{"t"}));
  EXPECT_FALSE(ack.contains("next"));
}

}  // namespace
}  // namespace tickwire
