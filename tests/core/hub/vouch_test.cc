// Who vouches for a topic that nobody wants.
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

#include "fakes/fake_clock.h"
#include "hub/hub.h"

namespace tickwire {
namespace {

class NoSink final : public UpdateSink, public DemandListener {
 public:
  void deliver(const UpdatePtr& /*update*/) override {}
  void on_demand(std::uint32_t /*feed*/, const std::string& /*topic*/, bool /*wanted*/) override {}
};

constexpr FeedId kFeed = 1;
constexpr std::int64_t kLingerMs = 10'000;

struct Vouching : ::testing::Test {
  FakeClock clock;
  Hub hub{clock, {}, kRingBytesMaxDefault, kLingerMs * 1000};
  NoSink sink;
  SinkId id = hub.add_sink(sink);

  void add_feed(std::optional<std::vector<std::string>> topics = std::nullopt) {
    hub.demand().set_listener(&sink);
    hub.demand().add_feed(kFeed, *Pattern::parse("t.*"), std::move(topics));
  }
  void publish(const char* topic = "t.a") { ASSERT_TRUE(hub.publish(topic, R"({"p":1})", kFeed)); }
  // Lets time pass as the housekeeping sees it: one sweep a second.
  void pass_ms(std::int64_t ms) {
    for (; ms > 0; ms -= 1000) {
      clock.advance_ms(std::min<std::int64_t>(ms, 1000));
      hub.sweep();
    }
  }
  [[nodiscard]] TopicStatus status(const char* topic = "t.a") const { return hub.find(topic)->status(); }
};

TEST_F(Vouching, AtTheLingerATopicThatNobodyWantsIsStaleAndLiveWithItsNextUpdate) {
  add_feed();
  hub.follow_demand(kFeed);
  publish();
  pass_ms(kLingerMs - 1);
  EXPECT_EQ(status(), TopicStatus::kLive);
  pass_ms(1);
  EXPECT_EQ(status(), TopicStatus::kStale);
  publish();
  EXPECT_EQ(status(), TopicStatus::kLive);
  pass_ms(kLingerMs);
  EXPECT_EQ(status(), TopicStatus::kStale);
}

TEST_F(Vouching, WhatIsWantedStaysLiveAndGoesStaleTheLingerAfterItsLastReader) {
  add_feed();
  hub.follow_demand(kFeed);
  Topic& topic = *hub.add_interest(id, "t.a")->topic;
  publish();
  pass_ms(5 * kLingerMs);
  EXPECT_EQ(status(), TopicStatus::kLive) << "a quiet market";
  hub.drop_interest(id, topic, false);
  hub.sweep();
  pass_ms(kLingerMs - 1);
  EXPECT_EQ(status(), TopicStatus::kLive);
  pass_ms(1000);
  EXPECT_EQ(status(), TopicStatus::kStale);
}

TEST_F(Vouching, AReaderWhoComesBackWithinTheLingerChangesNothing) {
  add_feed();
  hub.follow_demand(kFeed);
  publish();
  for (int round = 0; round < 4; ++round) {
    hub.drop_interest(id, *hub.add_interest(id, "t.a")->topic, false);
    pass_ms(kLingerMs / 2);
  }
  EXPECT_EQ(status(), TopicStatus::kLive);
  ASSERT_TRUE(hub.add_interest(id, "t.a"));
  pass_ms(5 * kLingerMs);
  EXPECT_EQ(status(), TopicStatus::kLive);
}

TEST_F(Vouching, AFeedThatPublishesRegardlessOfDemandVouchesForItsTopics) {
  add_feed();
  publish();
  pass_ms(5 * kLingerMs);
  EXPECT_EQ(status(), TopicStatus::kLive) << "it never looked at what is wanted";
  hub.follow_demand(kFeed);
  for (int i = 0; i < 10; ++i) {
    publish();
    pass_ms(kLingerMs / 2);
  }
  EXPECT_EQ(status(), TopicStatus::kLive) << "it publishes what nobody wants, too";
}

TEST_F(Vouching, WhatWasPublishedLongBeforeTheFeedLookedAtDemandCounts) {
  add_feed();
  publish();
  pass_ms(5 * kLingerMs);
  hub.follow_demand(kFeed);
  pass_ms(1000);
  EXPECT_EQ(status(), TopicStatus::kStale);
}

TEST_F(Vouching, OnlyTheTopicsThatTheFeedCanBeAskedForAreUnderDemand) {
  add_feed(std::vector<std::string>{"t.a"});
  hub.follow_demand(kFeed);
  publish("t.a");
  publish("t.extra");
  ASSERT_TRUE(hub.publish("t.other", "{}"));
  hub.add_pattern_interest(id, *Pattern::parse("u.*"));
  pass_ms(2 * kLingerMs);
  EXPECT_EQ(status("t.a"), TopicStatus::kStale);
  EXPECT_EQ(status("t.extra"), TopicStatus::kLive);
  EXPECT_EQ(status("t.other"), TopicStatus::kLive) << "no feed's";
}

TEST_F(Vouching, APatternsReaderWantsWhatTheFeedNames) {
  add_feed(std::vector<std::string>{"t.a"});
  hub.follow_demand(kFeed);
  publish();
  hub.add_pattern_interest(id, *Pattern::parse(">"));
  pass_ms(2 * kLingerMs);
  EXPECT_EQ(status(), TopicStatus::kLive);
}

TEST_F(Vouching, HaltedAndClosedStay) {
  add_feed();
  hub.follow_demand(kFeed);
  publish();
  ASSERT_TRUE(hub.set_status("t.a", TopicStatus::kHalted));
  pass_ms(2 * kLingerMs);
  EXPECT_EQ(status(), TopicStatus::kHalted);
  ASSERT_TRUE(hub.set_status("t.a", TopicStatus::kLive));
  pass_ms(2 * kLingerMs);
  EXPECT_EQ(status(), TopicStatus::kStale);
}

TEST_F(Vouching, AFeedThatEndedSaysNothingMoreByDemand) {
  add_feed();
  hub.follow_demand(kFeed);
  publish();
  hub.demand().remove_feed(kFeed);
  pass_ms(2 * kLingerMs);
  EXPECT_EQ(status(), TopicStatus::kLive) << "who removes a feed calls feed_down";
}

}  // namespace
}  // namespace tickwire
