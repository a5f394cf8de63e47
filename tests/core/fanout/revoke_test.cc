// What a revocation ends: sessions, at once, and what an authenticator says meanwhile; and sessions that need
// a fresh token.
#include <atomic>
#include <memory>
#include <string>

#include "answering.h"
#include "issuer.h"

namespace tickwire {
namespace {

using nlohmann::json;

struct Revocable {
  Revocations revocations{token_life_ms({})};
  TokenVerifier verifier{issuer_rules(), &revocations};
  ShardConfig config() {
    ShardConfig config;
    config.tokens = &verifier;
    config.revocations = &revocations;
    config.unauthenticated_ms_max = unauthenticated_ms_max;
    return config;
  }
  std::int64_t unauthenticated_ms_max = 1'000;
};

struct RevocablePlant : Revocable, Answering {
  RevocablePlant() : Answering(Revocable::config()) { access.tokens = true; }

  [[nodiscard]] std::string token(const std::string& subject, std::int64_t lifetime_s = 60) const {
    const std::int64_t now_s = clock.wall_ms() / 1'000;
    return issuer().token(json{
        {"sub", subject}, {"iat", now_s}, {"exp", now_s + lifetime_s}, {"tickwire", {{"subscribe", {">"}}}}});
  }
  // How many sessions ended.
  std::size_t revoke(const SessionTarget& target) {
    if (!target.subject.empty()) {
      EXPECT_TRUE(revocations.add({target.subject, clock.wall_ms()}, clock.wall_ms()));
    }
    const auto ended = std::make_shared<std::atomic<std::size_t>>(0);
    shard.end_sessions(target, SessionEnd::kRevoked, ended);
    run();
    return *ended;
  }
};

struct SignedIn : Client {
  SignedIn(RevocablePlant& plant, const std::string& subject) : Client(plant) {
    say(auth(plant.token(subject)));
    subscribe("ticker.a");
    heard();
  }
};

TEST(Revoke, EndsEverySessionOfASubjectAndNoOther) {
  RevocablePlant plant;
  SignedIn mia(plant, "mia");
  SignedIn also_mia(plant, "mia");
  SignedIn paul(plant, "paul");
  Client nobody(plant);
  nobody.heard();
  EXPECT_EQ(plant.revoke({.subject = "mia", .session = {}}), 2U);
  for (SignedIn* client : {&mia, &also_mia}) {
    EXPECT_EQ(client->socket.close_code, 4502);
    EXPECT_EQ(client->socket.close_reason, "revoked");
    const auto told = client->socket.take();
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(told[0]["code"], "denied");
    EXPECT_EQ(told[0]["field"], "token");
  }
  plant.publish("ticker.a", R"({"n":1})");
  plant.run();
  EXPECT_EQ(paul.heard(), (Lines{"update ticker.a 1"}));
  EXPECT_TRUE(mia.heard().empty());
  EXPECT_EQ(nobody.socket.close_code, 0);
  EXPECT_EQ(plant.revoke({.subject = "mia", .session = {}}), 0U);
}

TEST(Revoke, EndsOneSessionByItsNameWhoseTokenStaysValid) {
  RevocablePlant plant;
  SignedIn first(plant, "mia");
  SignedIn second(plant, "mia");
  EXPECT_EQ(plant.revoke({.subject = {}, .session = second.session->client.session}), 1U);
  EXPECT_EQ(second.socket.close_code, 4502);
  EXPECT_EQ(first.socket.close_code, 0);
  EXPECT_EQ(plant.revoke({.subject = {}, .session = "9-9"}), 0U);
  Client again(plant);
  again.say(auth(plant.token("mia")));
  EXPECT_EQ(again.heard(), (Lines{"welcome", "ack"}));
}

TEST(Revoke, ATokenOfBeforeGetsNobodyInAndAFreshOneDoes) {
  RevocablePlant plant;
  const std::string before = plant.token("mia");
  plant.clock.advance_ms(2'000);
  plant.revoke({.subject = "mia", .session = {}});
  plant.clock.advance_ms(1'000);
  Client client(plant);
  client.say(auth(before));
  EXPECT_EQ(client.heard(), (Lines{"welcome", "error"}));
  client.subscribe("ticker.a");
  EXPECT_EQ(client.socket.take().at(0)["results"][0]["error"]["code"], "denied");
  client.say(auth(plant.token("mia")));
  client.subscribe("ticker.a");
  EXPECT_EQ(client.heard(), (Lines{"ack", "ack"}));
}

TEST(Revoke, ABlockedSessionEndsToo) {
  RevocablePlant plant;
  SignedIn mia(plant, "mia");
  mia.block();
  mia.say(R"({"type":"ping"})");
  EXPECT_EQ(plant.revoke({.subject = "mia", .session = {}}), 1U);
  EXPECT_EQ(mia.socket.close_code, 4502);
}

TEST(Revoke, WhatWaitsForAnAuthorizerIsForgotten) {
  RevocablePlant plant;
  SignedIn mia(plant, "mia");
  mia.subscribe("guarded.a");
  mia.say(R"({"type":"subscribe","topics":["guarded.b"]})");
  plant.run();
  EXPECT_EQ(plant.revoke({.subject = "mia", .session = {}}), 1U);
  for (const AccessQuestion& question : std::vector(plant.access.questions)) plant.answer(allow(question));
  EXPECT_EQ(mia.socket.close_code, 4502);
}

TEST(Revoke, AnAuthenticatorThatJudgedATokenMeanwhileLetsNobodyIn) {
  RevocablePlant plant;
  plant.access.authenticator = true;
  const auto accept = [&plant](std::string subject) {
    AccessAnswer answer = allow(plant.last(), 0, json{{"sub", subject}}.dump());
    answer.subject = std::move(subject);
    plant.answer(answer);
  };
  Client late(plant);
  late.say(auth("opaque"));
  plant.run();
  const AccessQuestion question = plant.last();
  EXPECT_EQ(plant.revoke({.subject = "mia", .session = {}}), 0U) << "nobody knows yet whose it is";
  accept("mia");
  EXPECT_EQ(late.socket.close_code, 4502);
  plant.clock.advance_ms(1);
  Client next(plant);
  next.say(auth("opaque"));
  plant.run();
  accept("mia");
  EXPECT_EQ(next.socket.close_code, 0) << "it was asked after that, and says yes";
  EXPECT_EQ(plant.revoke({.subject = "mia", .session = {}}), 1U);
}

TEST(Revoke, ThousandsOfSessionsEndInPieces) {
  constexpr std::size_t kMany = 2'000;
  RevocablePlant plant;
  const std::string token = plant.token("mia");
  std::vector<std::unique_ptr<Client>> clients;
  for (std::size_t i = 0; i < kMany; ++i) {
    clients.push_back(std::make_unique<Client>(plant));
    clients.back()->say(auth(token));
  }
  const auto ended = std::make_shared<std::atomic<std::size_t>>(0);
  ASSERT_TRUE(plant.revocations.add({"mia", plant.clock.wall_ms()}, plant.clock.wall_ms()));
  plant.shard.end_sessions({.subject = "mia", .session = {}}, SessionEnd::kRevoked, ended);
  EXPECT_GT(*ended, 0U);
  EXPECT_LT(*ended, kMany);
  plant.run();
  EXPECT_EQ(*ended, kMany);
}

// --- 4003 -----------------------------------------------------------------------------------------------

TEST(FreshToken, ASessionWhoseTokenExpiredSoLongAgoIsToldToFetchAnother) {
  RevocablePlant plant;
  Client client(plant);
  client.say(auth(plant.token("mia", 10)));
  plant.clock.advance_ms(10'999);
  plant.shard.tick();
  EXPECT_EQ(client.socket.close_code, 0);
  plant.clock.advance_ms(20'000);  // a session is looked at once in a heartbeat
  plant.shard.tick();
  EXPECT_EQ(client.socket.close_code, 4003);
  EXPECT_EQ(plant.limited(Limit::kUnauthenticated), 1U);
}

TEST(FreshToken, OneThatCameInTimeKeepsTheSession) {
  RevocablePlant plant;
  Client client(plant);
  client.say(auth(plant.token("mia", 10)));
  plant.clock.advance_ms(10'500);
  client.say(auth(plant.token("mia", 60)));
  plant.clock.advance_ms(30'000);
  plant.shard.tick();
  EXPECT_EQ(client.socket.close_code, 0);
}

TEST(FreshToken, ATokenThatNobodyCouldJudgeIsNotCalledRefused) {
  RevocablePlant plant;
  plant.access.authenticator = true;
  Client unjudged(plant);
  unjudged.say(auth("opaque"));
  plant.answer(unavailable(plant.last()));
  Client silent(plant);
  plant.clock.advance_ms(1'000);
  plant.shard.tick();
  EXPECT_EQ(unjudged.socket.close_code, 4003);
  EXPECT_EQ(silent.socket.close_code, 4500);
}

}  // namespace
}  // namespace tickwire
