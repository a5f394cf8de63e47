#include "bridge/bridge.h"

#include <gtest/gtest.h>

#include <memory>
#include <utility>

#include "fakes/fake_clock.h"

namespace tickwire {
namespace {

using Topics = std::vector<std::string>;

class NullSink final : public UpdateSink {
 public:
  void deliver(const UpdatePtr& /*update*/) override {}
};

struct BridgeTest : testing::Test {
  explicit BridgeTest(PublishPolicy policy = PublishPolicy::kNone) : bridge(hub, hub, {policy}) {
    bridge.set_answer_route(
        [this](std::uint32_t shard, AccessAnswer answer) { answers.emplace_back(shard, std::move(answer)); });
  }

  AccessQuestion question(std::uint64_t id, const std::string& remote = "127.0.0.1:5",
                          PeerAddress address = {}) const {
    AccessQuestion asked;
    asked.id = id;
    asked.shard = 2;
    asked.topic = "premium.A";
    asked.client = std::make_shared<const ClientInfo>(ClientInfo{"", remote, "", "", address});
    return asked;
  }

  // "feed topic+" or "feed topic-" for each change of demand since the last call.
  Topics demand() {
    Topics changes;
    for (const BridgeEvent& event : bridge.take_events()) {
      const auto& change = std::get<DemandChange>(event);
      changes.push_back(std::to_string(change.feed) + " " + change.topic + (change.wanted ? "+" : "-"));
    }
    return changes;
  }

  FakeClock clock;
  Hub hub{clock, {}};
  Bridge bridge;
  NullSink sink;
  SinkId reader = hub.add_sink(sink);
  std::vector<std::pair<std::uint32_t, AccessAnswer>> answers;
};
struct OpenBridgeTest : BridgeTest {
  OpenBridgeTest() : BridgeTest(PublishPolicy::kOpen) {}
};
struct GrantBridgeTest : BridgeTest {
  GrantBridgeTest() : BridgeTest(PublishPolicy::kGrant) {}
};

TEST_F(BridgeTest, AllowsToSubscribeWhatNoAuthorizerGuards) {
  EXPECT_EQ(bridge.check(Action::kSubscribe, "premium.A"), Verdict::kAllow);
  ASSERT_TRUE(bridge.add_authorizer("premium.>", Action::kSubscribe));
  EXPECT_EQ(bridge.check(Action::kSubscribe, "premium.A"), Verdict::kAsk);
  EXPECT_EQ(bridge.check(Action::kSubscribe, "ticker.A"), Verdict::kAllow);
}

TEST_F(BridgeTest, AsksForAPatternThatOverlapsAGuardedOne) {
  ASSERT_TRUE(bridge.add_authorizer("premium.>", Action::kSubscribe));
  EXPECT_EQ(bridge.check(Action::kSubscribe, ">"), Verdict::kAsk);
  EXPECT_EQ(bridge.check(Action::kSubscribe, "*.A"), Verdict::kAsk);
  EXPECT_EQ(bridge.check(Action::kSubscribe, "ticker.*"), Verdict::kAllow);
}

TEST_F(BridgeTest, RefusesAnAuthorizerForWhatIsNoPattern) {
  EXPECT_EQ(bridge.add_authorizer("premium.>.A", Action::kSubscribe).error().code, ErrorCode::kBadTopic);
}

TEST_F(BridgeTest, DeniesEveryPublishByDefault) {
  ASSERT_TRUE(bridge.add_authorizer("chat.>", Action::kPublish));
  EXPECT_EQ(bridge.check(Action::kPublish, "chat.A"), Verdict::kDeny);
}

TEST_F(OpenBridgeTest, AllowsEveryPublishThatNoAuthorizerGuards) {
  ASSERT_TRUE(bridge.add_authorizer("chat.>", Action::kPublish));
  EXPECT_EQ(bridge.check(Action::kPublish, "ticker.A"), Verdict::kAllow);
  EXPECT_EQ(bridge.check(Action::kPublish, "chat.A"), Verdict::kAsk);
}

TEST_F(OpenBridgeTest, DeniesThePublishWhereOnlyReadingIsGuarded) {
  ASSERT_TRUE(bridge.add_authorizer("read.>", Action::kSubscribe));
  EXPECT_EQ(bridge.check(Action::kPublish, "read.A"), Verdict::kDeny);
  ASSERT_TRUE(bridge.add_authorizer("read.A", Action::kPublish));
  EXPECT_EQ(bridge.check(Action::kPublish, "read.A"), Verdict::kAsk);
  EXPECT_EQ(bridge.check(Action::kPublish, "read.B"), Verdict::kDeny);
}

TEST_F(GrantBridgeTest, AllowsOnlyThePublishThatAnAuthorizerGrants) {
  ASSERT_TRUE(bridge.add_authorizer("chat.>", Action::kPublish));
  EXPECT_EQ(bridge.check(Action::kPublish, "ticker.A"), Verdict::kDeny);
  EXPECT_EQ(bridge.check(Action::kPublish, "chat.A"), Verdict::kAsk);
}

TEST_F(BridgeTest, AsksForATokenOnlyWithAnAuthenticator) {
  EXPECT_EQ(bridge.check(Action::kAuthenticate, ""), Verdict::kDeny);
  bridge.set_authenticator(true);
  EXPECT_EQ(bridge.check(Action::kAuthenticate, ""), Verdict::kAsk);
}

AccessPolicy by_token(PublishPolicy publish) {
  return {publish, true, {Pattern::parse("open.>").value(), Pattern::parse("read.A").value()}};
}

TEST_F(BridgeTest, WhereTokensAreVerifiedEveryTopicNeedsOneButThoseThatAreOpen) {
  Bridge guarded(hub, hub, by_token(PublishPolicy::kNone));
  const auto check = [&guarded](std::string_view topic) { return guarded.check(Action::kSubscribe, topic); };
  for (const std::string_view topic : {"open.A", "open.A.b", "open.*", "open.>", "read.A"}) {
    EXPECT_EQ(check(topic), Verdict::kAllow) << topic;
  }
  for (const std::string_view topic : {"ticker.A", "open", ">", "*.A", "*.>", "read.*", "read.B"}) {
    EXPECT_EQ(check(topic), Verdict::kTokenOnly) << topic;
  }
  EXPECT_EQ(guarded.check(Action::kAuthenticate, ""), Verdict::kTokenOnly);
  guarded.set_authenticator(true);
  EXPECT_EQ(guarded.check(Action::kAuthenticate, ""), Verdict::kAsk);
}

TEST_F(BridgeTest, WhatIsOpenIsEverythingButWhereTokensAreVerified) {
  const auto texts = [](const Bridge& of) {
    Topics out;
    for (const Pattern& pattern : of.open_part()->patterns()) out.push_back(pattern.text());
    return out;
  };
  EXPECT_EQ(texts(bridge), (Topics{">"}));
  EXPECT_EQ(texts(Bridge(hub, hub, by_token(PublishPolicy::kNone))), (Topics{"open.>", "read.A"}));
}

TEST_F(BridgeTest, AnAuthorizerSpeaksForItsOwnPatternWhereTokensAreVerified) {
  Bridge guarded(hub, hub, by_token(PublishPolicy::kNone));
  ASSERT_TRUE(guarded.add_authorizer("premium.>", Action::kSubscribe));
  ASSERT_TRUE(guarded.add_authorizer("open.A.*", Action::kSubscribe));
  const auto check = [&guarded](std::string_view topic) { return guarded.check(Action::kSubscribe, topic); };
  EXPECT_EQ(check("premium.A"), Verdict::kAsk);
  EXPECT_EQ(check("premium.>"), Verdict::kAsk);
  EXPECT_EQ(check(">"), Verdict::kAsk) << "of which a part is its own";
  EXPECT_EQ(check("*.A"), Verdict::kAsk);
  EXPECT_EQ(check("*.*.*.*"), Verdict::kAsk) << "premium.>";
  EXPECT_EQ(check("ticker.>"), Verdict::kTokenOnly);
  EXPECT_EQ(check("open.A.b"), Verdict::kAsk);
  EXPECT_EQ(check("open.>"), Verdict::kAsk) << "open, but for what the authorizer guards";
  EXPECT_EQ(check("open.b"), Verdict::kAllow);
}

TEST_F(BridgeTest, PublishingNeedsATokenWhereTokensAreVerified) {
  Bridge none(hub, hub, by_token(PublishPolicy::kNone));
  EXPECT_EQ(none.check(Action::kPublish, "ticker.A"), Verdict::kDeny) << "auth.publish says that nobody may";
  Bridge grant(hub, hub, by_token(PublishPolicy::kGrant));
  EXPECT_EQ(grant.check(Action::kPublish, "ticker.A"), Verdict::kTokenOnly);
  EXPECT_EQ(grant.check(Action::kPublish, "open.A"), Verdict::kTokenOnly);
  Bridge open(hub, hub, by_token(PublishPolicy::kOpen));
  EXPECT_EQ(open.check(Action::kPublish, "ticker.A"), Verdict::kTokenOnly);
  EXPECT_EQ(open.check(Action::kPublish, "open.A"), Verdict::kAllow);
}

TEST_F(BridgeTest, RoutesAnAnswerToTheShardThatAskedAndOnlyOnce) {
  ASSERT_TRUE(bridge.ask(question(7)));
  EXPECT_TRUE(answers.empty());
  const std::vector<BridgeEvent> events = bridge.take_events();
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(std::get<AccessQuestion>(events[0]).topic, "premium.A");
  for (int i = 0; i < 2; ++i) bridge.answer(AccessAnswer{7, Ruling::kAllow, 60'000, ""});
  bridge.answer(AccessAnswer{8, Ruling::kAllow, 0, ""});
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].first, 2U);
  EXPECT_EQ(answers[0].second.ttl_ms, 60'000);
}

TEST_F(BridgeTest, AllowsEverythingToTheServersOwnProgram) {
  ASSERT_TRUE(bridge.ask(question(7, std::string(kLocalRemote))));
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].second.ruling, Ruling::kAllow);
  EXPECT_TRUE(bridge.take_events().empty());
}

TEST_F(BridgeTest, AnAddressLeavesRoomForTheQuestionsOfOthers) {
  const PeerAddress greedy = PeerAddress::of_ipv4(0x7F00'0002);
  const PeerAddress honest = PeerAddress::of_ipv4(0x7F00'0003);
  std::uint64_t id = 1;
  for (; id <= kOpenQuestionsPerAddressMax; ++id)
    ASSERT_TRUE(bridge.ask(question(id, "127.0.0.2:1", greedy)));
  const Status refused = bridge.ask(question(id, "127.0.0.2:2", greedy));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(refused.error().limit, Limit::kOpenQuestionsPerAddress);
  EXPECT_EQ(refused.error().message,
            "2048 questions to authorizers of your address wait, that is the limit; try again later");
  EXPECT_TRUE(bridge.ask(question(id, "127.0.0.3:1", honest)));
  bridge.close(1);
  EXPECT_TRUE(bridge.ask(question(id + 1, "127.0.0.2:2", greedy))) << "closed ones count no longer";
}

TEST_F(BridgeTest, TakesAsManyQuestionsOfAllAsTheLimitSays) {
  std::uint64_t id = 1;
  for (; id <= kOpenQuestionsMax; ++id) ASSERT_TRUE(bridge.ask(question(id)));
  const Status refused = bridge.ask(question(id));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().limit, Limit::kOpenQuestions);
}

TEST_F(BridgeTest, TellsAFeedOfItsFirstAndLastSubscriber) {
  const FeedId feed = bridge.add_feed({"walk", "ticker.*", {}, {}}).value();
  EXPECT_EQ(demand(), Topics{});
  const Interest interest = hub.add_interest(reader, "ticker.A").value();
  ASSERT_TRUE(hub.add_interest(reader, "trade.A"));
  EXPECT_EQ(demand(), Topics{std::to_string(feed) + " ticker.A+"});
  hub.drop_interest(reader, *interest.topic, false);
  EXPECT_EQ(demand(), Topics{std::to_string(feed) + " ticker.A-"});
}

TEST_F(BridgeTest, TellsANewFeedWhatIsWantedAlready) {
  hub.add_pattern_interest(reader, Pattern::parse("ticker.>").value());
  const FeedId feed = bridge.add_feed({"walk", "ticker.*", Topics{"ticker.A", "ticker.B"}, {}}).value();
  const std::string name = std::to_string(feed);
  EXPECT_EQ(demand(), (Topics{name + " ticker.A+", name + " ticker.B+"}));
  ASSERT_TRUE(bridge.set_feed_topics(feed, {"ticker.B", "ticker.C"}));
  EXPECT_EQ(demand(), (Topics{name + " ticker.A-", name + " ticker.C+"}));
}

TEST_F(BridgeTest, SaysNothingOfAFeedThatWasRemoved) {
  const FeedId feed = bridge.add_feed({"walk", "ticker.*", {}, {}}).value();
  ASSERT_TRUE(hub.add_interest(reader, "ticker.A"));
  bridge.remove_feed(feed);
  ASSERT_TRUE(hub.add_interest(reader, "ticker.B"));
  EXPECT_EQ(demand(), Topics{});
  EXPECT_EQ(bridge.publish(feed, "ticker.A", "{}").error().code, ErrorCode::kDenied);
}

TEST_F(BridgeTest, KeepsAFeedInsideItsPattern) {
  const FeedId feed = bridge.add_feed({"walk", "ticker.*", {}, {}}).value();
  EXPECT_EQ(bridge.publish(feed, "ticker.A", "{}").value(), 1U);
  const auto outside = bridge.publish(feed, "trade.A", "{}");
  EXPECT_EQ(outside.error().code, ErrorCode::kBadTopic);
  EXPECT_EQ(outside.error().message, "trade.A: outside ticker.*, the pattern of feed walk");
  EXPECT_EQ(bridge.set_status(feed, "trade.A", TopicStatus::kHalted).error().code, ErrorCode::kBadTopic);
  EXPECT_EQ(bridge.set_feed_topics(feed, {"trade.A"}).error().code, ErrorCode::kBadTopic);
  EXPECT_EQ(bridge.add_feed({"walk", "ticker.*", Topics{"trade.A"}, {}}).error().code, ErrorCode::kBadTopic);
  EXPECT_EQ(bridge.add_feed({"walk", "ticker..A", {}, {}}).error().code, ErrorCode::kBadTopic);
}

TEST_F(BridgeTest, MakesTheTopicsOfAFeedThatIsDownStale) {
  const FeedId feed = bridge.add_feed({"walk", ">", {}, {}}).value();
  ASSERT_TRUE(bridge.publish(feed, "ticker.A", "{}"));
  ASSERT_TRUE(hub.publish("ticker.B", "{}"));
  bridge.feed_down(feed);
  EXPECT_EQ(hub.find("ticker.A")->status(), TopicStatus::kStale);
  EXPECT_EQ(hub.find("ticker.B")->status(), TopicStatus::kLive);
}

TEST_F(BridgeTest, GivesAFeedsTopicsTheDeliveryItDeclares) {
  ASSERT_TRUE(bridge.add_feed({"trades", "trade.>", {}, Delivery::kEvent}));
  for (const char* data : {R"({"a":1})", R"({"b":2})"}) {
    ASSERT_TRUE(hub.publish("trade.A", data));
    ASSERT_TRUE(hub.publish("ticker.A", data));
  }
  EXPECT_EQ(hub.find("trade.A")->image(), R"({"b":2})");
  EXPECT_EQ(hub.find("ticker.A")->image(), R"({"a":1,"b":2})");
}

TEST_F(BridgeTest, ShowsHowPluginsFare) {
  EXPECT_EQ(bridge.plugins().json(), "{}");
  bridge.plugins().set("walk", {"running", 0, 0});
  bridge.plugins().set("walk", {"backoff", 1, 2});
  EXPECT_EQ(bridge.plugins().json(), R"({"walk":{"state":"backoff","restarts":1,"errors":2}})");
}

}  // namespace
}  // namespace tickwire
