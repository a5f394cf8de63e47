// Subscriptions to patterns of which the client may see only a part.
#include "answering.h"
#include "fakes/token_maker.h"
#include "fanout/topic_table.h"

namespace tickwire {
namespace {

using nlohmann::json;

GuardPart part(const std::string& guard, const std::vector<std::string>& only, bool all = false) {
  GuardPart out{Pattern::parse(guard).value(), all, {}};
  for (const std::string& text : only) out.only.push_back(Pattern::parse(text).value());
  return out;
}

// Topics under "fx." and "vip." are guarded.
struct PartialPattern : testing::Test {
  PartialPattern() {
    plant.access.guards = {Pattern::parse("fx.>").value(), Pattern::parse("vip.>").value()};
    for (const char* const topic : {"fx.a", "fx.b", "free.a", "vip.a"}) plant.publish(topic, R"({"n":1})");
  }

  // Answers the last question with these parts.
  void answer(const std::vector<GuardPart>& parts, std::int64_t ttl_ms = 0, double max_rate = 0) {
    AccessAnswer given = allow(plant.last(), ttl_ms);
    given.guards = parts;
    given.max_rate = max_rate;
    plant.answer(given);
  }
  static json result_in(const std::vector<json>& messages) {
    for (const json& message : messages) {
      if (message["type"] == "ack") return message["results"][0];
    }
    return {};
  }

  Answering plant{{}, {{.pattern = "*.ev", .delivery = Delivery::kEvent}}};
  Client client{plant};
};

TEST_F(PartialPattern, ShowsThePartThatTheGuardsLetAndSaysSo) {
  client.subscribe(">");
  answer({part("fx.>", {"fx.a"}), part("vip.>", {})});
  const auto messages = client.socket.take();
  EXPECT_EQ(result_in(messages)["partial"], true);
  std::set<std::string> shown;
  for (const json& message : messages) {
    if (message["type"] == "snapshot") shown.insert(message["topic"]);
  }
  EXPECT_EQ(shown, (std::set<std::string>{"free.a", "fx.a"}));
}

TEST_F(PartialPattern, ACursorIsTheSameHoweverManyTopicsAreHidden) {
  client.subscribe(">");
  answer({part("fx.>", {"fx.a", "fx.late"}), part("vip.>", {})});
  client.heard();
  EXPECT_EQ(plant.shard.cursor(*client.session), "e1,free.a=1,fx.a=1");
  for (int i = 0; i < 5'000; ++i) plant.publish("vip.x" + std::to_string(i), R"({"n":1})");
  plant.publish("fx.late", R"({"n":1})");
  plant.run();
  EXPECT_EQ(plant.shard.cursor(*client.session), "e1,free.a=1,fx.a=1,fx.late=1");
}

TEST_F(PartialPattern, ShowsTopicsOfThePartThatAppearLater) {
  client.subscribe(">");
  answer({part("fx.>", {"fx.new.*"}), part("vip.>", {})});
  client.heard();
  for (const char* const topic : {"fx.new.x", "fx.old", "vip.new", "free.new"})
    plant.publish(topic, R"({"n":2})");
  plant.publish("fx.old", R"({"n":3})");
  plant.run();
  EXPECT_EQ(client.heard(), (Lines{"update fx.new.x 1", "update free.new 1"}));
}

TEST_F(PartialPattern, IsWholeWhereEachGuardLetsAll) {
  client.subscribe(">");
  answer({part("fx.>", {}, true), part("vip.>", {"vip.>"})});
  EXPECT_FALSE(result_in(client.socket.take()).contains("partial"));
}

TEST_F(PartialPattern, IsDeniedWhereNothingCouldBeSeen) {
  client.subscribe("fx.*");
  AccessAnswer given = allow(plant.last());
  given.text = "pro only";
  given.guards = {part("fx.>", {"vip.a"})};
  plant.answer(given);
  const json error = result_in(client.socket.take())["error"];
  EXPECT_EQ(error["code"], "denied");
  EXPECT_EQ(error["message"], "fx.*: pro only");
}

TEST_F(PartialPattern, IsNotSeenThroughAnotherSessionsWholePattern) {
  Client whole(plant);
  whole.subscribe(">");
  answer({part("fx.>", {}, true), part("vip.>", {}, true)});
  whole.heard();
  client.subscribe(">", R"(,"last":5,"since":{"fx.b":0,"vip.a":0,"free.a":0},"epoch":"e1")");
  answer({part("fx.>", {"fx.a"}), part("vip.>", {})});
  for (const char* const topic : {"fx.a", "fx.b", "free.a", "vip.a", "vip.new"})
    plant.publish(topic, R"({"n":2})");
  plant.run();
  for (const std::string& line : client.heard()) {
    EXPECT_EQ(line.find("fx.b"), std::string::npos) << line;
    EXPECT_EQ(line.find("vip."), std::string::npos) << line;
  }
  EXPECT_FALSE(whole.heard().empty());
}

TEST_F(PartialPattern, AnAnswerThatLetsLessTakesAwayAtOnceAndOneThatLetsMoreGives) {
  client.subscribe(">");
  answer({part("fx.>", {"fx.*"}), part("vip.>", {})}, 4'000);
  client.heard();
  plant.asked();
  plant.pass_ms(3'500);
  ASSERT_EQ(plant.asked(), 1U);
  answer({part("fx.>", {"fx.a"}), part("vip.>", {"vip.a"})}, 4'000);
  Lines lines = client.heard();
  EXPECT_NE(std::ranges::find(lines, "snapshot vip.a 1"), lines.end());
  EXPECT_EQ(std::ranges::find(lines, "snapshot fx.b 1"), lines.end());
  for (const char* const topic : {"fx.a", "fx.b", "vip.a", "free.a"}) plant.publish(topic, R"({"n":2})");
  plant.run();
  lines = client.heard();
  std::ranges::sort(lines);
  EXPECT_EQ(lines, (Lines{"update free.a 2", "update fx.a 2", "update vip.a 2"}));
}

TEST_F(PartialPattern, ARenewalOfTheSamePartSaysNothing) {
  client.subscribe(">");
  answer({part("fx.>", {"fx.a"}), part("vip.>", {})}, 4'000);
  client.heard();
  plant.pass_ms(3'500);
  answer({part("vip.>", {}), part("fx.>", {"fx.a"})}, 4'000);
  EXPECT_EQ(client.heard(), Lines{});
}

TEST_F(PartialPattern, WhatWasOwedOfAHiddenTopicIsNotSentAfterTheAnswer) {
  client.subscribe(">");
  plant.publish("fx.ev", R"({"n":1})");
  answer({part("fx.>", {}, true), part("vip.>", {})}, 4'000);
  plant.pass_ms(3'500);
  client.heard();
  client.block();
  for (int n = 2; n < 6; ++n) plant.publish("fx.ev", json{{"n", n}}.dump());
  plant.run();
  client.heard();  // what the socket took before it was full
  answer({part("fx.>", {"fx.a"}), part("vip.>", {})}, 4'000);
  client.unblock();
  plant.run();
  for (const std::string& line : client.heard()) EXPECT_EQ(line.find("fx.ev"), std::string::npos) << line;
}

TEST_F(PartialPattern, GetAnswersWithThePartAndItsNextNamesNoHiddenTopic) {
  client.heard();
  const auto get = [this](const std::string& after) {
    client.say(R"({"type":"get","topics":[">"],"limit":1)" + after + "}");
    answer({part("fx.>", {"fx.b"}), part("vip.>", {})});
    return client.socket.take().at(0);
  };
  const json first = get("");
  ASSERT_EQ(first["results"].size(), 1U) << first;
  EXPECT_EQ(first["results"][0]["topic"], "free.a");
  EXPECT_EQ(first["next"], "0:free.a") << "and not fx.a, where the next page begins to look";
  const json second = get(R"(,"after":"0:free.a")");
  ASSERT_EQ(second["results"].size(), 1U) << second;
  EXPECT_EQ(second["results"][0]["topic"], "fx.b");
  EXPECT_FALSE(second.contains("next")) << "which would say that something hidden follows";
}

TEST_F(PartialPattern, HiddenTopicsAreNoDemand) {
  struct Listener final : DemandListener {
    std::set<std::string> wanted;
    void on_demand(std::uint32_t /*feed*/, const std::string& topic, bool is) override {
      if (is) {
        wanted.insert(topic);
      } else {
        wanted.erase(topic);
      }
    }
  } listener;
  plant.hub.demand().set_listener(&listener);
  plant.hub.demand().add_feed(1, Pattern::parse(">").value(),
                              std::vector<std::string>{"fx.a", "fx.b", "free.a"});
  client.subscribe(">");
  answer({part("fx.>", {"fx.a"}), part("vip.>", {})});
  EXPECT_EQ(listener.wanted, (std::set<std::string>{"free.a", "fx.a"}));
  Client whole(plant);
  whole.subscribe(">");
  answer({part("fx.>", {}, true), part("vip.>", {}, true)});
  EXPECT_EQ(listener.wanted.size(), 3U);
  whole.leave();
  plant.run();
  EXPECT_EQ(listener.wanted, (std::set<std::string>{"free.a", "fx.a"}));
  client.unsubscribe(">");
  plant.run();
  EXPECT_EQ(listener.wanted.size(), 0U);
  plant.hub.demand().set_listener(nullptr);
}

TEST_F(PartialPattern, ThereAreAtMostSoManyPartsOfAPattern) {
  std::vector<std::unique_ptr<Client>> clients;
  const auto come = [&](std::size_t nth) {
    clients.push_back(std::make_unique<Client>(plant));
    clients.back()->subscribe(">");
    answer({part("fx.>", {"fx.n" + std::to_string(nth)}), part("vip.>", {})});
    return result_in(clients.back()->socket.take());
  };
  for (std::size_t nth = 0; nth < kPatternPartsMax; ++nth) ASSERT_EQ(come(nth)["partial"], true);
  EXPECT_EQ(come(0)["partial"], true) << "a part that is there";
  const json past = come(kPatternPartsMax);
  EXPECT_EQ(past["error"]["code"], "too_many");
  EXPECT_EQ(plant.limited(Limit::kPatternParts), 1U);
}

TEST_F(PartialPattern, APartForWhichThereIsNoRoomEndsTheOneBeforeIt) {
  std::vector<std::unique_ptr<Client>> clients;
  client.subscribe(">");
  answer({part("fx.>", {}, true), part("vip.>", {})});
  client.heard();
  for (std::size_t nth = 1; nth < kPatternPartsMax; ++nth) {
    clients.push_back(std::make_unique<Client>(plant));
    clients.back()->subscribe(">");
    answer({part("fx.>", {"fx.n" + std::to_string(nth)}), part("vip.>", {})});
  }
  client.subscribe(">");
  answer({part("fx.>", {"fx.a"}), part("vip.>", {})});
  EXPECT_EQ(result_in(client.socket.take())["error"]["code"], "too_many");
  plant.publish("fx.b", R"({"n":2})");
  plant.run();
  EXPECT_EQ(client.heard(), Lines{});
}

TEST_F(PartialPattern, TheGuardsMaxRateHoldsForTheWholePattern) {
  client.subscribe(">");
  answer({part("fx.>", {"fx.a"}), part("vip.>", {})}, 0, 1);
  client.heard();
  for (int n = 2; n < 7; ++n) {
    plant.publish("fx.a", json{{"n", n}}.dump());
    plant.pass_ms(100);
  }
  EXPECT_EQ(client.heard(), Lines{});
  plant.pass_ms(1'000);
  EXPECT_EQ(client.heard(), (Lines{"snapshot fx.a 6"}));
}

}  // namespace
}  // namespace tickwire
