#include "answering.h"
#include "protocol/command.h"

namespace tickwire {
namespace {

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

TEST(Access, LateMeansUnavailableAndTheQuestionIsClosed) {
  Answering plant;
  Client client(plant);
  client.subscribe("guarded.a");
  plant.pass_ms(1999);
  EXPECT_EQ(client.heard(), (Lines{"welcome"}));
  EXPECT_TRUE(plant.access.closed.empty());
  plant.pass_ms(1);
  const auto error = client.socket.take().at(0)["results"][0]["error"];
  EXPECT_EQ(error["code"], "unavailable");
  EXPECT_EQ(error["retryable"], true);
  EXPECT_EQ(error["message"], "guarded.a: no answer within 2000 ms");
  EXPECT_EQ(plant.access.closed, (std::vector{plant.access.questions[0].id}));
  plant.answer(allow(plant.access.questions[0]));
  plant.publish("guarded.a", R"({"p":1})");
  plant.run();
  EXPECT_TRUE(client.heard().empty()) << "an answer after its deadline changes nothing";
}

TEST(Access, OnlyADenialIsFinal) {
  Answering plant;
  plant.access.authenticator = true;
  plant.access.publish = true;
  const auto codes = [&plant](Client& client, auto&& answer) {
    client.subscribe("guarded.a");
    client.say(R"({"type":"publish","topic":"guarded.a","data":{}})");
    client.say(R"({"type":"auth","token":"t"})");
    client.socket.take();
    answer();
    plant.run();
    const auto told = client.socket.take();
    std::vector<std::string> out;
    for (const auto& message : told) {
      const auto& error = message["type"] == "ack" ? message["results"][0]["error"] : message;
      out.push_back(error["code"].get<std::string>() + (error["retryable"] == true ? " again" : " final"));
    }
    return out;
  };
  Client refused(plant);
  EXPECT_EQ(codes(refused,
                  [&] {
                    for (const AccessQuestion& question : plant.access.questions)
                      plant.shard.answer(deny(question, "no"));
                  }),
            (Lines{"denied final", "denied final", "denied final"}));
  plant.access.questions.clear();
  Client failed(plant);
  EXPECT_EQ(codes(failed,
                  [&] {
                    for (const AccessQuestion& question : plant.access.questions)
                      plant.shard.answer(unavailable(question));
                  }),
            (Lines{"unavailable again", "unavailable again", "unavailable again"}));
  plant.access.room = false;
  Client crowded(plant);
  crowded.heard();
  crowded.subscribe("guarded.a");
  EXPECT_EQ(crowded.socket.take().at(0)["results"][0]["error"]["message"], "guarded.a: too many wait");
  plant.access.room = true;
  crowded.subscribe("guarded.a");
  plant.answer(allow(plant.last()));
  EXPECT_EQ(crowded.heard(), (Lines{"ack"}));
}

TEST(Access, CommandsAfterATokenWaitForItsClaims) {
  Answering plant;
  plant.access.authenticator = true;
  Client client(plant);
  client.say(R"({"type":"auth","id":1,"token":"t"})");
  EXPECT_FALSE(client.socket.reading);
  client.subscribe("guarded.a");
  ASSERT_EQ(plant.access.questions.size(), 1U);
  EXPECT_EQ(plant.access.questions[0].client->token, "t");
  plant.answer(allow(plant.access.questions[0], 0, R"({"tier":"pro"})"));
  EXPECT_TRUE(client.socket.reading);
  ASSERT_EQ(plant.access.questions.size(), 2U);
  EXPECT_EQ(plant.access.questions[1].client->claims, R"({"tier":"pro"})");
  EXPECT_EQ(client.heard(), (Lines{"welcome", "ack"}));
}

TEST(Access, WithoutAnAuthenticatorATokenGoesToTheAuthorizersUnjudged) {
  Answering plant;
  Client client(plant, {"", "", "first", ""});
  const auto judged = [&client] { return client.socket.take().back()["judged"]; };
  EXPECT_EQ(judged(), false) << "of a token in the URL";
  client.say(R"({"type":"auth","id":1,"token":"t"})");
  EXPECT_EQ(judged(), false);
  EXPECT_TRUE(plant.access.questions.empty());
  client.subscribe("guarded.a");
  ASSERT_EQ(plant.access.questions.size(), 1U);
  EXPECT_EQ(plant.access.questions[0].client->token, "t");
}

TEST(Access, ATokenThatNobodyCouldJudgeNeverBecomesADenial) {
  Answering plant;
  plant.access.authenticator = true;
  Client client(plant, {"", "", "token", ""});
  plant.answer(unavailable(plant.last()));
  EXPECT_EQ(client.heard(), (Lines{"welcome", "error"}));
  plant.asked();
  client.say(R"({"type":"subscribe","topics":["guarded.a","open.b","secret.c"]})");
  EXPECT_EQ(plant.asked(), 0U) << "an authorizer would see no claims, and deny for good";
  const auto results = client.socket.take().at(0)["results"];
  EXPECT_EQ(results[0]["error"]["code"], "unavailable");
  EXPECT_EQ(results[1]["seq"], 0);
  EXPECT_EQ(results[2]["error"]["code"], "denied");
  client.say(R"({"type":"auth","token":"token"})");
  plant.answer(allow(plant.last(), 0, R"({"tier":"pro"})"));
  client.subscribe("guarded.a");
  EXPECT_EQ(plant.last().client->claims, R"({"tier":"pro"})");
  plant.answer(allow(plant.last()));
  EXPECT_EQ(client.heard(), (Lines{"ack", "ack"}));
}

TEST(Access, ATokenThatNobodyCouldJudgeIsJudgedAgainWhereItIsNeeded) {
  Answering plant;
  plant.access.authenticator = true;
  Client client(plant, {"", "", "token", ""});
  plant.answer(unavailable(plant.last()));
  client.heard();
  plant.asked();
  plant.pass_ms(kJudgeAgainMs);
  client.say(R"({"type":"ping"})");
  EXPECT_EQ(plant.asked(), 0U) << "not for what needs no token";
  client.subscribe("guarded.a");
  ASSERT_EQ(plant.asked(), 1U);
  EXPECT_EQ(plant.last().action, Action::kAuthenticate);
  plant.answer(unavailable(plant.last()));
  EXPECT_EQ(client.heard(), (Lines{"pong", "ack"})) << "the subscribe is unavailable, nothing else is said";
  client.subscribe("guarded.a");
  EXPECT_EQ(plant.asked(), 0U) << "once a second at most";
  client.heard();
  plant.pass_ms(kJudgeAgainMs);
  client.subscribe("guarded.a");
  plant.answer(allow(plant.last(), 0, R"({"tier":"pro"})"));
  EXPECT_EQ(plant.last().client->claims, R"({"tier":"pro"})");
  plant.answer(allow(plant.last()));
  EXPECT_EQ(client.heard(), (Lines{"ack"}));
}

TEST(Access, ATokenThatNobodyCouldJudgeTakesNoClaimsAway) {
  Answering plant;
  plant.access.authenticator = true;
  Client client(plant, {"", "", "first", ""});
  plant.answer(allow(plant.last(), 0, R"({"tier":"pro"})"));
  client.say(R"({"type":"auth","token":"second"})");
  EXPECT_EQ(plant.last().client->token, "second");
  plant.answer(unavailable(plant.last()));
  client.subscribe("guarded.a");
  EXPECT_EQ(plant.last().client->claims, R"({"tier":"pro"})");
  EXPECT_EQ(plant.last().client->token, "first");
}

TEST(Access, ADeniedTokenLeavesNoClaims) {
  Answering plant;
  plant.access.authenticator = true;
  Client client(plant, {"", "", "first", ""});
  plant.answer(allow(plant.last(), 0, R"({"tier":"pro"})"));
  client.say(R"({"type":"auth","token":"forged"})");
  plant.answer(deny(plant.last(), "forged"));
  client.subscribe("guarded.a");
  EXPECT_EQ(plant.last().client->claims, "");
  EXPECT_EQ(plant.last().client->token, "");
}

TEST(Access, ATokenThatIsNoTextIsRefusedAndReachesNobody) {
  Answering plant;
  plant.access.authenticator = true;
  Client client(plant, {"", "", "\xff", ""});
  EXPECT_EQ(plant.asked(), 0U);
  const auto told = client.socket.take();
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(told[1]["code"], "bad_message");
  EXPECT_EQ(told[1]["field"], "token");
}

TEST(Access, WhatWaitsIsAskedAgainUnderTheNewClaims) {
  Answering plant;
  plant.access.authenticator = true;
  plant.access.publish = true;
  Client client(plant);
  client.heard();
  client.subscribe("guarded.a");
  client.say(R"({"type":"publish","topic":"guarded.b","data":{}})");
  client.say(R"({"type":"auth","token":"t"})");
  ASSERT_EQ(plant.asked(), 3U);
  const auto before = plant.access.questions;
  plant.answer(allow(before[2], 0, R"({"tier":"free"})"));
  ASSERT_EQ(plant.asked(), 2U);
  plant.answer(allow(before[0]));
  plant.answer(allow(before[1]));
  EXPECT_EQ(client.heard(), (Lines{"ack"})) << "what the claims of before allowed is void";
  EXPECT_EQ(plant.hub.find("guarded.b"), nullptr);
  for (const std::size_t i : {3U, 4U}) {
    EXPECT_EQ(plant.access.questions[i].client->claims, R"({"tier":"free"})");
    plant.answer(deny(plant.access.questions[i], "pro only"));
  }
  EXPECT_EQ(client.heard(), (Lines{"ack", "error"}));
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

TEST(Access, CommandsThatWaitAreCarriedOutInTheirOrder) {
  Answering plant;
  plant.access.publish = true;
  Client client(plant);
  client.heard();
  client.say(R"({"type":"subscribe","id":1,"topics":["guarded.a"],"max_rate":1})");
  client.say(R"({"type":"subscribe","id":2,"topics":["guarded.a"]})");
  client.say(R"({"type":"publish","id":3,"topic":"guarded.a","data":{"p":3}})");
  client.say(R"({"type":"publish","id":4,"topic":"guarded.a","data":{"p":4}})");
  ASSERT_EQ(plant.asked(), 4U);
  for (const std::size_t nth : {3U, 1U, 2U, 0U}) {
    EXPECT_TRUE(client.heard().empty());
    plant.answer(allow(plant.access.questions[nth]));
  }
  EXPECT_EQ(client.heard(), (Lines{"ack", "ack", "ack", "ack", "update guarded.a 1", "update guarded.a 2"}));
  for (int i = 0; i < 2; ++i) {
    plant.publish("guarded.a", R"({"p":5})");
    plant.run();
    EXPECT_EQ(client.heard().size(), 1U) << "the later subscribe counts, and has no max_rate";
  }
}

// Each answer to a topic that one command names several times, exactly or by a pattern.
TEST(Access, OfSeveralAnswersToOneTopicInOneCommandTheLastCounts) {
  for (const char* topic : {"guarded.a", "guarded.*"}) {
    for (const bool had : {false, true}) {
      for (unsigned answers = 0; answers < 8; ++answers) {
        Answering plant;
        Client client(plant);
        if (had) plant.admit(client, topic);
        client.heard();
        plant.asked();
        const std::string name = std::string("\"") + topic + "\"";
        client.say(R"({"type":"subscribe","topics":[)" + name + "," + name + R"(,"guarded.b",)" + name +
                   "]}");
        ASSERT_EQ(plant.asked(), 4U);
        const auto asked = std::vector(plant.access.questions.end() - 4, plant.access.questions.end());
        const bool allowed = (answers & 4U) != 0;
        for (unsigned i = 0; i < 4; ++i) {
          const bool yes = i == 2 ? !allowed : (answers & (1U << (i == 3 ? 2 : i))) != 0;
          plant.answer(yes ? allow(asked[i]) : deny(asked[i], "no"));
        }
        const auto results = client.socket.take().at(0)["results"];
        EXPECT_EQ(results[3].contains("error"), !allowed);
        plant.publish("guarded.a", "{}");
        plant.run();
        EXPECT_EQ(client.heard(), allowed ? Lines{"update guarded.a 1"} : Lines{}) << topic << had << answers;
        client.say(R"({"type":"unsubscribe","topics":[)" + name + "]}");
        EXPECT_EQ(client.socket.take().at(0)["results"][0].contains("error"), !allowed);
      }
    }
  }
}

TEST(Access, ATopicAndAPatternThatMatchesItInOneCommandEachHaveTheirAnswer) {
  for (const char* topics : {R"("guarded.a","guarded.*")", R"("guarded.*","guarded.a")"}) {
    for (const bool had : {false, true}) {
      for (const bool pattern : {false, true}) {
        Answering plant;
        Client client(plant);
        if (had) plant.admit(client, "guarded.a");
        plant.asked();
        client.say(R"({"type":"subscribe","topics":[)" + std::string(topics) + "]}");
        ASSERT_EQ(plant.asked(), 2U);
        const auto asked = std::vector(plant.access.questions.end() - 2, plant.access.questions.end());
        for (const AccessQuestion& question : asked) {
          const bool yes = (question.topic == "guarded.*") == pattern;
          plant.answer(yes ? allow(question) : deny(question, "no"));
        }
        client.heard();
        plant.publish("guarded.a", "{}");
        plant.publish("guarded.b", "{}");
        plant.run();
        Lines expected{"update guarded.a 1"};
        if (pattern) expected.emplace_back("update guarded.b 1");
        EXPECT_EQ(client.heard(), expected) << topics << had;
      }
    }
  }
}

TEST(Access, ATokenOfBeforeTheAuthenticatorIsJudgedOnceThereIsOne) {
  Answering plant;
  Client client(plant);
  client.say(R"({"type":"auth","id":1,"token":"t"})");
  client.heard();
  plant.access.authenticator = true;
  plant.asked();
  client.subscribe("guarded.a");
  ASSERT_EQ(plant.asked(), 1U);
  EXPECT_EQ(plant.last().action, Action::kAuthenticate);
  plant.answer(allow(plant.last(), 0, R"({"plan":"gold"})"));
  ASSERT_EQ(plant.asked(), 1U);
  EXPECT_EQ(plant.last().client->claims, R"({"plan":"gold"})");
}

}  // namespace
}  // namespace tickwire
