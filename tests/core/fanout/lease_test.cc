// What an authorizer allowed: until when it is served, and what ends it before.
#include <algorithm>
#include <string>
#include <vector>

#include "answering.h"

namespace tickwire {
namespace {

TEST(Lease, IsRenewedBeforeItEndsSoThatTheStreamGoesOn) {
  Answering plant;
  Client client(plant);
  plant.admit(client, "guarded.a", 60'000);
  plant.pass_ms(56'999);
  EXPECT_EQ(plant.asked(), 0U);
  plant.pass_ms(1);
  ASSERT_EQ(plant.asked(), 1U) << "one deadline and one retry before its end";
  plant.answer(allow(plant.last(), 60'000));
  plant.pass_ms(10'000);
  plant.publish("guarded.a", R"({"p":1})");
  plant.run();
  EXPECT_EQ(client.heard(), (Lines{"update guarded.a 1"}));
  EXPECT_EQ(renewal_lead_us(1'000'000, 2'000), 250'000) << "a quarter of a short one";
}

TEST(Lease, ThoseThatANewTokenEndsAreToldInPiecesBeforeTheNextCommand) {
  constexpr std::size_t kMany = 2'000;
  Answering plant;
  plant.access.authenticator = true;
  Client client(plant);
  std::string names;
  for (std::size_t i = 0; i < kMany; ++i)
    names += (i > 0 ? ",\"" : "\"") + std::string("guarded.") + std::to_string(i) + '"';
  client.say(R"({"type":"subscribe","topics":[)" + names + "]}");
  plant.run();
  for (std::size_t i = 0; i < kMany; ++i) plant.answer(allow(plant.access.questions.at(i)));
  client.say(R"({"type":"auth","id":1,"token":"t"})");
  plant.answer(allow(plant.last(), 0, "{}"));
  client.say(R"({"type":"ping","id":2})");
  client.heard();
  Lines heard;
  std::size_t most = 0;
  for (std::size_t i = kMany + 1; i < plant.access.questions.size(); ++i)
    plant.shard.answer(deny(plant.access.questions[i], "no"));
  for (std::int64_t wait = 0; wait == 0;) {
    const std::size_t asked = plant.access.questions.size();
    wait = plant.shard.run();
    for (std::size_t i = asked; i < plant.access.questions.size(); ++i) {
      plant.shard.answer(deny(plant.access.questions[i], "no"));
      wait = 0;
    }
    const Lines now = client.heard();
    most = std::max(most, now.size());
    heard.insert(heard.end(), now.begin(), now.end());
  }
  EXPECT_LT(most, 1'000U);
  ASSERT_EQ(heard.size(), kMany + 2);
  EXPECT_EQ(heard.front(), "ack");
  EXPECT_EQ(heard[1].substr(0, 13), "error guarded");
  EXPECT_EQ(heard.back(), "pong");
}

TEST(Lease, ThatIsDeniedAgainEndsAtOnceAndForGood) {
  Answering plant;
  Client client(plant);
  plant.admit(client, "guarded.a", 1'000);
  plant.pass_ms(750);
  ASSERT_EQ(plant.asked(), 1U);
  plant.answer(deny(plant.last(), "no longer"));
  plant.publish("guarded.a", R"({"p":1})");
  plant.run();
  const auto told = client.socket.take();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0]["code"], "denied");
  EXPECT_EQ(told[0]["message"], "guarded.a: no longer");
  plant.pass_ms(100'000);
  EXPECT_EQ(plant.asked(), 0U);
}

TEST(Lease, ThatNobodyCanRenewIsServedUntilItsEndAndThenHeldUntilItIsAllowed) {
  Answering plant;
  Client client(plant);
  plant.admit(client, "guarded.a", 1'000);
  plant.pass_ms(750);
  plant.answer(unavailable(plant.last()));
  plant.publish("guarded.a", R"({"p":1})");
  plant.run();
  EXPECT_EQ(client.heard(), (Lines{"update guarded.a 1"}));
  plant.pass_ms(250);
  const auto told = client.socket.take();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0]["code"], "unavailable");
  EXPECT_EQ(told[0]["topic"], "guarded.a");
  EXPECT_EQ(told[0]["retryable"], true);
  plant.publish("guarded.a", R"({"p":2})");
  plant.run();
  EXPECT_TRUE(client.heard().empty()) << "nothing is served past its end";
  plant.pass_ms(2'000);
  ASSERT_EQ(plant.asked(), 2U);
  plant.answer(allow(plant.last(), 60'000));
  plant.publish("guarded.a", R"({"p":3})");
  plant.run();
  EXPECT_EQ(client.heard(), (Lines{"snapshot guarded.a 2", "update guarded.a 3"}));
}

TEST(Lease, ThatIsHeldIsAskedAboutAtGrowingIntervalsForAsLongAsItTakes) {
  Answering plant;
  Client client(plant);
  plant.admit(client, "guarded.a", 1'000);
  std::vector<std::int64_t> waits;
  plant.pass_ms(750);
  for (int i = 0; i < 6; ++i) {
    ASSERT_EQ(plant.asked(), 1U);
    plant.answer(unavailable(plant.last()));
    std::int64_t waited = 0;
    for (; plant.access.questions.size() == static_cast<std::size_t>(i) + 2 && waited < 60'000;
         waited += 100) {
      plant.pass_ms(100);
    }
    waits.push_back(waited);
  }
  for (std::size_t i = 0; i < waits.size(); ++i) {
    const std::int64_t least = std::min(kRenewalRetryMsFirst << i, kRenewalRetryMsMax);
    EXPECT_GE(waits[i], least);
    EXPECT_LE(waits[i], least * 5 / 4 + 100);
  }
  EXPECT_EQ(client.heard(), (Lines{"error guarded.a"})) << "said once";
}

TEST(Lease, OfAnEventTopicGoesOnWithWhatWasMissed) {
  Answering plant({}, {{.pattern = ">", .delivery = Delivery::kEvent}});
  Client client(plant);
  plant.publish("guarded.a", R"({"n":1})");
  plant.admit(client, "guarded.a", 1'000);
  plant.pass_ms(1'000);
  for (const char* data : {R"({"n":2})", R"({"n":3})"}) plant.publish("guarded.a", data);
  plant.run();
  EXPECT_EQ(client.heard(), (Lines{"error guarded.a"}));
  plant.answer(allow(plant.last()));
  plant.publish("guarded.a", R"({"n":4})");
  plant.run();
  EXPECT_EQ(client.heard(), (Lines{"update guarded.a 2", "update guarded.a 3", "status guarded.a 3 live",
                                   "update guarded.a 4"}));
}

TEST(Lease, OfAPatternIsHeldAndGoesOnAsAWhole) {
  Answering plant;
  Client client(plant);
  plant.admit(client, "guarded.*", 1'000);
  plant.pass_ms(1'000);
  EXPECT_EQ(client.heard(), (Lines{"error guarded.*"}));
  plant.publish("guarded.a", R"({"p":1})");
  plant.run();
  EXPECT_TRUE(client.heard().empty());
  plant.answer(allow(plant.last(), 1'000));
  EXPECT_EQ(client.heard(), (Lines{"snapshot guarded.a 1"}));
}

TEST(Lease, ThatIsHeldKeepsItsPace) {
  Answering plant;
  Client client(plant);
  plant.publish("guarded.a", R"({"p":0})");
  client.subscribe("guarded.a", R"(,"max_rate":1)");
  plant.answer(allow(plant.last(), 1'000));
  plant.pass_ms(1'000);
  plant.answer(allow(plant.last()));
  EXPECT_EQ(client.session->exact().at(0).pace_ms, 1'000);
}

TEST(Lease, ThatIsHeldEndsWithAnUnsubscribe) {
  Answering plant;
  Client client(plant);
  plant.admit(client, "guarded.a", 1'000);
  plant.pass_ms(1'000);
  plant.answer(unavailable(plant.last()));
  client.heard();
  plant.asked();
  client.unsubscribe("guarded.a");
  const auto ack = client.socket.take().at(0);
  EXPECT_FALSE(ack["results"][0].contains("error")) << "the client saw a subscription, and ends it";
  plant.pass_ms(100'000);
  EXPECT_EQ(plant.asked(), 0U);
}

TEST(Lease, ThatIsHeldIsTakenUpByASubscribe) {
  Answering plant;
  Client client(plant);
  plant.admit(client, "guarded.a", 1'000);
  plant.pass_ms(1'000);
  plant.answer(unavailable(plant.last()));
  client.heard();
  plant.publish("guarded.a", R"({"p":1})");
  client.subscribe("guarded.a");
  plant.answer(allow(plant.last()));
  EXPECT_EQ(client.heard(), (Lines{"ack", "snapshot guarded.a 1"}));
  plant.asked();
  plant.pass_ms(100'000);
  EXPECT_EQ(plant.asked(), 0U) << "allowed for ever";
}

TEST(Lease, LastsAsTheLastAnswerSays) {
  Answering plant;
  Client client(plant);
  plant.admit(client, "guarded.a", 1'000);
  plant.pass_ms(400);
  plant.admit(client, "guarded.a", 4'000);
  plant.pass_ms(2'900);
  EXPECT_EQ(plant.asked(), 0U);
  plant.pass_ms(100);
  EXPECT_EQ(plant.asked(), 1U) << "once, however often it was given";
}

TEST(Lease, EndsWithADeniedSubscribeButNotWithOneThatNobodyAnswered) {
  Answering plant;
  Client client(plant);
  plant.admit(client, "guarded.a");
  client.subscribe("guarded.a");
  plant.answer(unavailable(plant.last()));
  plant.publish("guarded.a", R"({"p":1})");
  plant.run();
  EXPECT_EQ(client.heard(), (Lines{"ack", "update guarded.a 1"}));
  client.subscribe("guarded.a");
  plant.answer(deny(plant.last(), "no longer"));
  plant.publish("guarded.a", R"({"p":2})");
  plant.run();
  EXPECT_EQ(client.heard(), (Lines{"ack"}));
  EXPECT_EQ(plant.shard.stats().subscriptions, 0U);
}

TEST(Lease, EndsWithItsSessionAndLeavesNothingDue) {
  Answering plant;
  {
    Client gone(plant);
    plant.admit(gone, "guarded.a", 1'000);
    plant.admit(gone, "guarded.b", 1'000);
    plant.pass_ms(1'000);
  }
  plant.asked();
  plant.pass_ms(2'000);
  EXPECT_EQ(plant.asked(), 0U);
  EXPECT_EQ(plant.access.closed.size(), 2U) << "the room of its questions is given back at their deadline";
  EXPECT_EQ(plant.shard.run(), -1) << "no timer is left";
  Client next(plant);
  plant.admit(next, "guarded.a");
  EXPECT_EQ(plant.shard.stats().subscriptions, 1U);
}

TEST(Lease, OfAnEndlessTimeIsNoShortOne) {
  Answering plant;
  Client client(plant);
  plant.admit(client, "guarded.a", INT64_MAX);
  plant.pass_ms(1'000'000'000);
  EXPECT_EQ(plant.asked(), 0U);
  plant.publish("guarded.a", R"({"p":1})");
  plant.run();
  EXPECT_EQ(client.heard(), (Lines{"update guarded.a 1"}));
}

TEST(Lease, ManyAreRenewedAFewAtATime) {
  constexpr std::size_t kMany = 1'000;
  Answering plant;
  Client client(plant);
  for (std::size_t i = 0; i < kMany; ++i) plant.admit(client, "guarded." + std::to_string(i), 60'000);
  plant.pass_ms(57'000);
  std::size_t answered = kMany;
  while (answered < 2 * kMany) {
    ASSERT_LE(plant.access.questions.size() - answered, kRenewalsAtOnceMax);
    ASSERT_GT(plant.access.questions.size(), answered);
    plant.answer(allow(plant.access.questions[answered++]));
  }
  EXPECT_TRUE(client.heard().empty());
  EXPECT_EQ(plant.shard.stats().subscriptions, kMany);
}

// --- new claims -----------------------------------------------------------------------------------------

struct Claims : testing::Test {
  Claims() {
    plant.access.authenticator = true;
    for (const char* topic : {"guarded.a", "guarded.b", "open.c"}) plant.publish(topic, R"({"p":0})");
    plant.admit(client, "guarded.a");
    plant.admit(client, "guarded.b");
    client.subscribe("open.c");
    client.heard();
  }
  // A new token, whose claims come at once; the questions that follow from it.
  std::vector<AccessQuestion> authenticate() {
    client.say(R"({"type":"auth","id":1,"token":"t"})");
    plant.answer(allow(plant.last(), 0, R"({"tier":"free"})"));
    const std::size_t count = plant.asked() - 1;
    return {plant.access.questions.end() - static_cast<std::ptrdiff_t>(count), plant.access.questions.end()};
  }
  void publish_all() {
    for (const char* topic : {"guarded.a", "guarded.b", "open.c"}) plant.publish(topic, R"({"p":1})");
    plant.run();
  }

  Answering plant;
  Client client{plant};
};

TEST_F(Claims, AreHeldAgainstEverySubscriptionBeforeTheyAreAcknowledged) {
  const auto questions = authenticate();
  ASSERT_EQ(questions.size(), 2U) << "those that are guarded";
  EXPECT_EQ(questions[0].client->claims, R"({"tier":"free"})");
  plant.answer(deny(questions[0], "pro only"));
  EXPECT_TRUE(client.heard().empty());
  plant.answer(allow(questions[1]));
  EXPECT_EQ(client.heard(), (Lines{"ack", "error guarded.a"}));
  publish_all();
  EXPECT_EQ(client.heard(), (Lines{"update guarded.b 2", "update open.c 2"}));
}

TEST_F(Claims, ThatNobodyCouldJudgeTheTopicsByServeNothingOfThoseOfBefore) {
  const auto questions = authenticate();
  plant.answer(unavailable(questions.at(0)));
  plant.pass_ms(2'000);
  const auto told = client.socket.take();
  ASSERT_EQ(told.size(), 3U);
  EXPECT_EQ(told[0]["id"], 1);
  for (const std::size_t i : {1U, 2U}) EXPECT_EQ(told[i]["code"], "unavailable");
  publish_all();
  EXPECT_EQ(client.heard(), (Lines{"update open.c 2"}));
  plant.pass_ms(2'000);
  ASSERT_GE(plant.asked(), 1U) << "the server goes on asking";
  plant.answer(allow(plant.last()));
  EXPECT_EQ(client.heard().size(), 1U) << "a snapshot";
}

TEST_F(Claims, OfADeniedTokenAreNoneAndEndWhatTheyAllowed) {
  client.say(R"({"type":"auth","id":1,"token":"forged"})");
  plant.answer(deny(plant.last(), "forged"));
  ASSERT_EQ(plant.asked(), 3U);
  for (std::size_t i = plant.access.questions.size() - 2; i < plant.access.questions.size(); ++i) {
    EXPECT_EQ(plant.access.questions[i].client->claims, "");
    plant.shard.answer(deny(plant.access.questions[i], "sign in"));
  }
  plant.run();
  EXPECT_EQ(client.heard(), (Lines{"error", "error guarded.a", "error guarded.b"}));
  publish_all();
  EXPECT_EQ(client.heard(), (Lines{"update open.c 2"}));
}

TEST_F(Claims, HoldUpTheCommandsThatFollowTheToken) {
  const auto questions = authenticate();
  client.subscribe("guarded.d");
  EXPECT_EQ(plant.asked(), 0U);
  EXPECT_FALSE(client.socket.reading);
  for (const AccessQuestion& question : questions) plant.answer(allow(question));
  EXPECT_TRUE(client.socket.reading);
  ASSERT_EQ(plant.asked(), 1U);
  EXPECT_EQ(plant.last().topic, "guarded.d");
}

}  // namespace
}  // namespace tickwire
