// How many commands a second a session and an address may send; and what else a client may have at most.
#include "fanout/command_rates.h"

#include "answering.h"

namespace tickwire {
namespace {

constexpr const char* kPing = R"({"type":"ping","id":1})";
constexpr const char* kList = R"({"type":"list","id":2,"limit":1})";

ShardConfig with_rates(const RateLimits& rates) {
  ShardConfig config;
  config.rates = rates;
  return config;
}

// As many of the answers as have this type or code.
std::size_t count(Client& client, const std::string& word) {
  const auto messages = client.socket.take();
  return static_cast<std::size_t>(std::ranges::count_if(messages, [&word](const nlohmann::json& message) {
    return message["type"] == word || message.value("code", "") == word;
  }));
}

TEST(CommandRates, ACommandPastTheRateSaysWhenToTryAgainAndThenGoesThrough) {
  Plant plant(with_rates({.session = {{{5}, {}, {}}}}));
  Client client(plant);
  client.socket.take();
  for (int i = 0; i < 5 * kBurstSeconds; ++i) client.say(kPing);
  EXPECT_EQ(count(client, "pong"), 5U * kBurstSeconds);
  client.say(kPing);
  const auto refused = client.socket.take().at(0);
  EXPECT_EQ(refused["code"], "too_many");
  EXPECT_EQ(refused["id"], 1);
  EXPECT_EQ(refused["retryable"], true);
  plant.clock.advance_ms(refused["retry_after_ms"].get<int>());
  client.say(kPing);
  EXPECT_EQ(count(client, "pong"), 1U);
  EXPECT_EQ(plant.limited(Limit::kCommands), 1U);
}

TEST(CommandRates, ASessionThatGoesOnAllTheSameIsClosed) {
  Plant plant(with_rates({.session = {{{5}, {}, {}}}}));
  Client client(plant);
  for (int i = 0; i < 2 * 5 * kBurstSeconds; ++i) client.say(kPing);
  EXPECT_EQ(client.socket.close_code, 0);
  client.say(kPing);
  EXPECT_EQ(client.socket.close_code, 1008);
}

TEST(CommandRates, ListsAndPublishesHaveRatesOfTheirOwn) {
  Plant plant(with_rates({.session = {{{}, {1}, {2}}}}));
  plant.access.publish = true;
  Client client(plant);
  client.socket.take();
  for (int i = 0; i < kBurstSeconds; ++i) client.say(kList);
  EXPECT_EQ(count(client, "ack"), 1U * kBurstSeconds);
  client.say(kList);
  EXPECT_EQ(count(client, "too_many"), 1U);
  const char* const publish = R"({"type":"publish","id":3,"topic":"a","data":{}})";
  for (int i = 0; i < 2 * kBurstSeconds; ++i) client.say(publish);
  EXPECT_EQ(count(client, "ack"), 2U * kBurstSeconds);
  client.say(publish);
  EXPECT_EQ(count(client, "too_many"), 1U);
  client.say(kPing);
  EXPECT_EQ(count(client, "pong"), 1U);
}

TEST(CommandRates, APublishCountsOnceHoweverLongItWaits) {
  ShardConfig config = with_rates({.session = {{{2}, {}, {2}}}});
  Answering plant(config);
  plant.access.publish = true;
  plant.access.authenticator = true;
  Client client(plant, {"", "", "token", ""});
  plant.answer(AccessAnswer{plant.last().id, Ruling::kUnavailable, 0, ""});
  plant.pass_ms(kJudgeAgainMs);
  client.socket.take();
  const char* const publish = R"({"type":"publish","id":3,"topic":"guarded.a","data":{}})";
  for (int i = 0; i < 2 * kBurstSeconds; ++i) client.say(publish);
  plant.answer(allow(plant.last(), 0, R"({"sub":"u"})"));  // the token; then the questions about the topic
  for (std::size_t i = plant.access.questions.size() - 2 * kBurstSeconds; i < plant.access.questions.size();
       ++i)
    plant.answer(allow(plant.access.questions[i]));
  EXPECT_EQ(count(client, "ack"), 2U * kBurstSeconds);
  client.say(publish);
  EXPECT_EQ(count(client, "too_many"), 1U);
}

TEST(CommandRates, ManySessionsOfOneAddressShareItsRateAndOthersDoNotNotice) {
  const RateLimits rates{.address = {{{4}, {}, {}}}};
  SharedRates shared(rates);
  ShardConfig config = with_rates(rates);
  config.shared_rates = &shared;
  Plant plant(config);
  ClientInfo greedy;
  greedy.address = PeerAddress::of_ipv4(1);
  ClientInfo honest;
  honest.address = PeerAddress::of_ipv4(2);
  Client first(plant, greedy);
  Client second(plant, greedy);
  Client other(plant, honest);
  for (int i = 0; i < 2 * kBurstSeconds; ++i) {
    first.say(kPing);
    second.say(kPing);
  }
  EXPECT_EQ(count(first, "pong") + count(second, "pong"), 4U * kBurstSeconds);
  second.say(kPing);
  EXPECT_EQ(count(second, "too_many"), 1U);
  other.say(kPing);
  EXPECT_EQ(count(other, "pong"), 1U);
  for (int i = 0; i < 100; ++i) second.say(kPing);
  EXPECT_EQ(second.socket.close_code, 0) << "it may be another client of its address that sends so much";
}

TEST(Limits, TopicsInOneCommand) {
  ShardConfig config;
  config.topics_per_command_max = 2;
  Plant plant(config);
  Client client(plant);
  client.socket.take();
  client.say(R"({"type":"subscribe","id":1,"topics":["a","b"]})");
  EXPECT_EQ(client.socket.take().at(0)["type"], "ack");
  client.say(R"({"type":"subscribe","id":2,"topics":["a","b","c"]})");
  EXPECT_EQ(client.socket.take().at(0)["code"], "too_large");
  EXPECT_EQ(plant.limited(Limit::kTopicsPerCommand), 1U);
}

// Of a session, of an address, and of all.
TEST(Limits, AnswersThatWaitForTheirClient) {
  struct Case {
    ShareLimits limits;
    Limit limit;
  };
  for (const auto& [limits, limit] :
       {Case{{900, 900, 300}, Limit::kOutboxPerSession}, Case{{900, 300, 900}, Limit::kOutboxPerAddress},
        Case{{300, 900, 900}, Limit::kOutbox}}) {
    ShardConfig config;
    config.outbox_bytes = limits;
    Plant plant(config);
    ClientInfo info;
    info.address = PeerAddress::of_ipv4(1);
    Client client(plant, info);
    client.block();
    client.say(kPing);  // blocks the socket
    while (client.socket.close_code == 0 && client.session->outbox_bytes() < 1'000) {
      EXPECT_LE(client.session->outbox_bytes(), 300U);
      EXPECT_EQ(plant.limited(limit), 0U);
      client.say(kPing);
    }
    EXPECT_EQ(client.socket.close_code, 1013);
    EXPECT_EQ(plant.limited(limit), 1U) << name_of(limit);
  }
}

TEST(Limits, TimeWithoutAnAcceptedToken) {
  ShardConfig config;
  config.unauthenticated_ms_max = 1'000;
  Answering plant(config);
  plant.access.authenticator = true;
  Client silent(plant);
  Client accepted(plant);
  accepted.say(R"({"type":"auth","id":1,"token":"t"})");
  plant.answer(allow(plant.last(), 0, R"({"sub":"u"})"));
  plant.clock.advance_ms(999);
  plant.shard.tick();
  EXPECT_EQ(silent.socket.close_code, 0);
  plant.clock.advance_ms(1);
  plant.shard.tick();
  EXPECT_EQ(silent.socket.close_code, 4500);
  EXPECT_EQ(plant.limited(Limit::kUnauthenticated), 1U);
  EXPECT_EQ(accepted.socket.close_code, 0);
}

TEST(Limits, AServerWithoutAnAuthenticatorAsksForNoToken) {
  ShardConfig config;
  config.unauthenticated_ms_max = 1'000;
  Plant plant(config);
  Client client(plant);
  plant.clock.advance_ms(2'000);
  plant.shard.tick();
  EXPECT_EQ(client.socket.close_code, 0);
}

}  // namespace
}  // namespace tickwire
