// Tokens that the server verifies itself: what they allow, until when, and what another token changes.
#include <algorithm>
#include <string>
#include <vector>

#include "answering.h"
#include "issuer.h"

namespace tickwire {
namespace {

using nlohmann::json;

struct Verifying {
  TokenVerifier verifier{issuer_rules()};
  ShardConfig config() {
    ShardConfig config;
    config.tokens = &verifier;
    return config;
  }
};

struct Guarded : Verifying, Answering {
  Guarded() : Answering(Verifying::config()) {
    access.tokens = true;
    access.publish = true;
  }
  // Valid for a minute.
  [[nodiscard]] std::string token(const json& grant, std::int64_t lifetime_s = 60) const {
    return issuer().token(json{{"exp", clock.wall_ms() / 1'000 + lifetime_s}, {"tickwire", grant}});
  }
};

json subscribes(const std::vector<std::string>& patterns) {
  return {{"subscribe", patterns}};
}

// What the messages say: "ack", "topic code" of each result that is an error, and of errors; data as in
// heard().
Lines told(Client& client) {
  Lines out;
  for (const json& message : client.socket.take()) {
    const std::string type = message["type"];
    if (type == "welcome") continue;
    if (type == "error") {
      out.push_back(message.value("topic", "") + " " + message["code"].get<std::string>());
    } else if (type == "ack") {
      out.push_back("ack");
      for (const json& result : message.value("results", json::array())) {
        if (!result.contains("error")) continue;
        out.push_back(result["topic"].get<std::string>() + " " + result["error"]["code"].get<std::string>());
      }
    } else {
      out.push_back(type + " " + message.value("topic", ""));
    }
  }
  return out;
}

Lines sorted(Lines lines) {
  std::ranges::sort(lines);
  return lines;
}

TEST(Token, WithoutOneOnlyOpenTopicsAreServed) {
  Guarded plant;
  Client client(plant);
  client.say(R"({"type":"subscribe","topics":["ticker.a","open.a",">","open.*","ticker.>"]})");
  EXPECT_EQ(told(client), (Lines{"ack", "ticker.a denied", "ticker.> denied"}));
  for (const char* const topic : {"ticker.a", "open.a"}) plant.publish(topic, "{}");
  plant.run();
  EXPECT_EQ(told(client), (Lines{"update open.a"}));
  client.say(R"({"type":"publish","topic":"ticker.a","data":{}})");
  EXPECT_EQ(told(client), (Lines{" denied"}));
}

TEST(Token, AllowsTopicsThatItsPatternsMatchAndThatPartOfPatterns) {
  Guarded plant;
  Client client(plant);
  client.say(auth(plant.token(subscribes({"ticker.*", "trade.>"}))));
  EXPECT_EQ(told(client), (Lines{"ack"}));
  client.say(
      R"({"type":"subscribe","topics":["ticker.a","ticker.*","ticker.>","trade.>","trade.x.*","*.*.c","ticker","chat.>"]})");
  EXPECT_EQ(told(client), (Lines{"ack", "ticker denied", "chat.> denied"}));
  for (const char* const topic : {"ticker.b", "ticker.b.c", "trade.x.y", "trade.x.c", "chat.a", "chat.b.c"})
    plant.publish(topic, "{}");
  plant.run();
  EXPECT_EQ(sorted(told(client)), (Lines{"update ticker.b", "update trade.x.c", "update trade.x.y"}));
  EXPECT_EQ(plant.asked(), 0U);
}

TEST(Token, OfTheAddressCountsBeforeTheFirstCommand) {
  Guarded plant;
  ClientInfo info;
  info.token = plant.token(subscribes({"ticker.a"}));
  Client client(plant, info);
  client.subscribe("ticker.a");
  EXPECT_EQ(told(client), (Lines{"ack", "ack"}));
}

TEST(Token, WhenItExpiresItsDataStopsUntilANewOneComes) {
  Guarded plant;
  plant.publish("ticker.a", R"({"n":1})");
  Client client(plant);
  client.say(auth(plant.token(subscribes({"ticker.*"}), 10)));
  client.subscribe("ticker.a");
  client.subscribe("ticker.*");
  client.subscribe("open.a");
  plant.run();
  told(client);
  plant.pass_ms(9'999);
  plant.publish("ticker.a", R"({"n":2})");
  plant.run();
  EXPECT_EQ(told(client), (Lines{"update ticker.a"}));
  plant.pass_ms(1);
  EXPECT_EQ(sorted(told(client)), (Lines{"ticker.* unavailable", "ticker.a unavailable"}));
  plant.publish("ticker.a", R"({"n":3})");
  plant.publish("ticker.b", R"({"n":3})");
  plant.publish("open.a", R"({"n":3})");
  plant.run();
  EXPECT_EQ(told(client), (Lines{"update open.a"}));
  client.subscribe("ticker.c");
  client.say(R"({"type":"publish","topic":"ticker.a","data":{}})");
  EXPECT_EQ(told(client), (Lines{"ack", "ticker.c unavailable", " unavailable"}));
  plant.pass_ms(100'000);
  EXPECT_TRUE(told(client).empty()) << "nobody else can be asked";

  client.say(auth(plant.token(subscribes({"ticker.*"}), 10)));
  plant.run();
  EXPECT_EQ(sorted(told(client)), (Lines{"ack", "snapshot ticker.a", "snapshot ticker.b"}));
  plant.publish("ticker.b", R"({"n":4})");
  plant.run();
  EXPECT_EQ(told(client), (Lines{"update ticker.b"}));
}

TEST(Token, ANewOneInTimeLeavesNoGap) {
  Guarded plant;
  Client client(plant);
  client.say(auth(plant.token(subscribes({"ticker.*"}), 10)));
  client.subscribe("ticker.*");
  plant.pass_ms(9'000);
  told(client);
  client.say(auth(plant.token(subscribes({"ticker.>"}), 10)));
  plant.pass_ms(9'000);
  EXPECT_EQ(told(client), (Lines{"ack"}));
  plant.publish("ticker.a", "{}");
  plant.run();
  EXPECT_EQ(told(client), (Lines{"update ticker.a"}));
}

TEST(Token, ASmallerOneTakesAwayAtOnceAndALargerOneGives) {
  Guarded plant;
  Client client(plant);
  client.say(auth(plant.token(subscribes({"ticker.*", "trade.*"}))));
  client.say(R"({"type":"subscribe","topics":["ticker.a","trade.*"]})");
  plant.run();
  told(client);
  client.say(auth(plant.token(subscribes({"ticker.*"}))));
  plant.run();
  EXPECT_EQ(told(client), (Lines{"ack", "trade.* denied"}));
  plant.publish("trade.a", "{}");
  plant.publish("ticker.a", "{}");
  plant.run();
  EXPECT_EQ(told(client), (Lines{"update ticker.a"}));
  client.say(auth(plant.token(subscribes({"trade.*"}))));
  client.subscribe("trade.*");
  plant.run();
  EXPECT_EQ(told(client), (Lines{"ack", "ticker.a denied", "ack", "snapshot trade.a"}));
}

TEST(Token, ABadOneLeavesNothing) {
  Guarded plant;
  const std::string good = plant.token(subscribes({"ticker.*"}));
  const std::string changed = good.substr(0, good.size() - 2) + (good.ends_with("AA") ? "BB" : "AA");
  for (const std::string& bad : {changed, plant.token(subscribes({">"}), -10), std::string("nonsense")}) {
    Client client(plant);
    client.say(auth(good));
    client.subscribe("ticker.a");
    told(client);
    client.say(auth(bad));
    plant.run();
    EXPECT_EQ(told(client), (Lines{" denied", "ticker.a denied"}));
    client.subscribe("ticker.a");
    EXPECT_EQ(told(client), (Lines{"ack", "ticker.a denied"}));
  }
}

TEST(Token, AnAuthorizerIsAskedOnlyAboutWhatTheTokenDoesNotAllow) {
  Guarded plant;
  Client client(plant);
  client.say(auth(plant.token(subscribes({"guarded.a"}), 10)));
  client.subscribe("guarded.a");
  EXPECT_EQ(plant.asked(), 0U);
  EXPECT_EQ(told(client), (Lines{"ack", "ack"}));
  client.subscribe("guarded.b");
  ASSERT_EQ(plant.asked(), 1U);
  EXPECT_EQ(plant.last().topic, "guarded.b");
  EXPECT_EQ(json::parse(plant.last().client->claims)["tickwire"], subscribes({"guarded.a"}));
  plant.answer(allow(plant.last()));
  EXPECT_EQ(told(client), (Lines{"ack"}));

  plant.pass_ms(10'000);
  ASSERT_EQ(plant.asked(), 1U) << "once the token has expired, it may say more";
  EXPECT_EQ(plant.last().topic, "guarded.a");
  EXPECT_EQ(told(client), (Lines{"guarded.a unavailable"}));
  plant.publish("guarded.a", "{}");
  plant.answer(allow(plant.last()));
  EXPECT_EQ(told(client), (Lines{"snapshot guarded.a"}));
}

TEST(Token, ThatIsNotOursIsForTheAuthenticatorWhichCannotOverruleOurs) {
  Guarded plant;
  plant.access.authenticator = true;
  Client client(plant);
  client.say(auth("a token of its own"));
  ASSERT_EQ(plant.asked(), 1U);
  EXPECT_EQ(plant.last().client->token, "a token of its own");
  plant.answer(allow(plant.last(), 0, R"({"tickwire":{"subscribe":[">"]}})"));
  client.subscribe("ticker.a");
  EXPECT_EQ(told(client), (Lines{"ack", "ack", "ticker.a denied"})) << "only tokens that were verified grant";
  client.say(auth(plant.token(subscribes({">"}), -10)));
  EXPECT_EQ(plant.asked(), 0U);
  EXPECT_EQ(told(client), (Lines{" denied"}));
}

TEST(Token, SaysWhereItsBearerMayPublish) {
  Guarded plant;
  Client client(plant);
  client.say(auth(plant.token({{"publish", {"chat.*"}}})));
  client.say(R"({"type":"publish","topic":"chat.a","data":{"n":1}})");
  client.say(R"({"type":"publish","topic":"ticker.a","data":{"n":1}})");
  client.subscribe("chat.a");
  EXPECT_EQ(told(client), (Lines{"ack", "ack", " denied", "ack", "chat.a denied"}));
  plant.access.publish = false;
  client.say(R"({"type":"publish","topic":"chat.a","data":{"n":1}})");
  EXPECT_EQ(told(client), (Lines{" denied"})) << "auth.publish is none";
}

TEST(Token, ListShowsWhatItLetsSubscribeTo) {
  Guarded plant;
  for (const std::string topic : {"guarded.a", "open.a", "secret.a", "ticker.a", "trade.a"})
    plant.publish(topic, "{}");
  Client client(plant);
  const auto list = [&] {
    client.socket.take();
    client.say(R"({"type":"list"})");
    return client.socket.take().at(0)["topics"].get<Lines>();
  };
  EXPECT_EQ(list(), (Lines{"open.a"}));
  client.say(auth(plant.token(subscribes({"ticker.*", "guarded.*", "secret.*"}), 10)));
  EXPECT_EQ(list(), (Lines{"guarded.a", "open.a", "ticker.a"}));
  plant.pass_ms(10'000);
  EXPECT_EQ(list(), (Lines{"open.a"}));
}

int updates_in_10_s(Guarded& plant, Client& client) {
  int count = 0;
  for (int i = 0; i < 100; ++i) {
    plant.publish("ticker.a", R"({"n":)" + std::to_string(i) + "}");
    plant.pass_ms(100);
    count += static_cast<int>(told(client).size());
  }
  return count;
}

TEST(Token, ItsMaxRateHoldsForWhatItAllowsAndChangesWithTheNextOne) {
  Guarded plant;
  const auto token = [&plant](double rate) {
    json grant = subscribes({"ticker.*"});
    if (rate > 0) grant["max_rate"] = rate;
    return plant.token(grant, 600);
  };
  for (const std::string topic : {"ticker.a", "ticker.*"}) {
    Client client(plant);
    client.say(auth(token(1)));
    client.subscribe(topic);
    plant.run();
    told(client);
    EXPECT_NEAR(updates_in_10_s(plant, client), 10, 2) << topic;
    client.say(auth(token(0.5)));
    plant.run();
    told(client);
    EXPECT_NEAR(updates_in_10_s(plant, client), 5, 2) << topic;
    client.say(auth(token(0)));
    plant.run();
    told(client);
    EXPECT_EQ(updates_in_10_s(plant, client), 100) << topic;
    client.subscribe(topic, R"(,"max_rate":0.5)");
    client.say(auth(token(1)));
    plant.run();
    told(client);
    EXPECT_NEAR(updates_in_10_s(plant, client), 5, 2) << "the client asked for less, " << topic;
  }
}

TEST(Token, TheNextSessionHasNoneOfIt) {
  Guarded plant;
  {
    Client first(plant);
    first.say(auth(plant.token(subscribes({">"}))));
  }
  plant.run();
  Client second(plant);
  second.subscribe("ticker.a");
  EXPECT_EQ(told(second), (Lines{"ack", "ticker.a denied"}));
}

// Takes what it is sent, whatever its framing.
class AnySocket final : public Socket {
 public:
  WriteResult write(std::string_view /*frames*/) override { return WriteResult::kSent; }
  void close(CloseCode /*code*/, std::string_view /*reason*/, std::string_view /*last*/) override {}
  void set_reading(bool /*on*/) override {}
};

TEST(Token, TheServersOwnProgramNeedsNone) {
  Guarded plant;
  AnySocket socket;
  Session& session = plant.shard.open(socket, {}, {.carrier = Carrier::kInProcess});
  plant.shard.on_message(session, R"({"type":"subscribe","topics":["ticker.a",">"]})");
  EXPECT_EQ(session.subscription_count(), 2U);
  plant.shard.on_closed(session);
}

}  // namespace
}  // namespace tickwire
