// What servers that share their topics ask of the hub: one history, whatever the hub's own limits and rules
// say, and epochs that go on from one another.
#include <gtest/gtest.h>

#include "fakes/fake_clock.h"
#include "hub/hub.h"

namespace tickwire {
namespace {

class AdoptTest : public testing::Test {
 protected:
  UpdatePtr apply(const std::string& topic, const std::string& data, Delivery delivery = Delivery::kValue) {
    const auto scanned = scan_payload(topic, data);
    return *hub.apply(topic, *scanned, 0, ++ts, delivery);
  }
  [[nodiscard]] Standing standing(const std::string& topic) const {
    return hub.find_topic(topic)->standing();
  }
  AdoptedTopic topic(std::uint64_t seq, std::vector<StoredEvent> ring = {}) {
    return {{"t.a", seq, 50, TopicStatus::kLive, R"({"a":1})", Delivery::kValue}, std::move(ring), {}};
  }

  FakeClock clock;
  std::int64_t ts = 100;
  Hub hub{clock, {{.pattern = ">", .ring = 4}}, kRingBytesMaxDefault, kLingerUsDefault, {.topics_max = 1}};
};

TEST_F(AdoptTest, WhatWasDecidedCountsPastTheLimitsAndTheRulesOfTheHub) {
  apply("t.a", R"({"a":1})");
  EXPECT_EQ(apply("t.b", R"({"a":1})")->seq(), 1U) << "topics_max is 1";
  const UpdatePtr event = apply("t.b", R"({"b":2})", Delivery::kEvent);
  EXPECT_EQ(event->image(), R"({"b":2})") << "an event replaces what was";
  EXPECT_EQ(event->delivery(), Delivery::kEvent);
  EXPECT_EQ(event->ts(), ts);
}

TEST_F(AdoptTest, ATopicGoesOnWithTheRingThatItIsGiven) {
  ASSERT_TRUE(hub.adopt(topic(7, {{6, 40, R"({"a":0})"}, {7, 50, R"({"a":1})"}})));
  EXPECT_EQ(standing("t.a").first_kept, 6U);
  EXPECT_EQ(hub.find("t.a")->status(), TopicStatus::kLive) << "the others vouch for it";
  EXPECT_EQ(apply("t.a", R"({"b":2})")->image(), R"({"a":1,"b":2})");
  EXPECT_EQ(hub.find("t.a")->seq(), 8U);
}

TEST_F(AdoptTest, AnEpochGoesOnFromTheOneBeforeUpToWhereItBegan) {
  hub.set_epoch("e1");
  EXPECT_EQ(hub.last_epoch(), "");
  apply("t.a", "{}");
  apply("t.a", "{}");
  hub.set_epoch("e2");
  EXPECT_EQ(hub.last_epoch(), "e1");
  EXPECT_EQ(standing("t.a").seq_at_epoch, 2U) << "nothing came since";
  apply("t.a", "{}");
  EXPECT_EQ(standing("t.a").seq_at_epoch, 2U);
  hub.set_epoch("e3");
  EXPECT_EQ(standing("t.a").seq_at_epoch, 3U);
}

TEST_F(AdoptTest, ATopicThatIsPastTheBeginningOfTheNextEpochSaysWhereThatWas) {
  hub.set_epoch("e1");
  AdoptedTopic adopted = topic(7);
  adopted.next_epoch_began = 5;
  ASSERT_TRUE(hub.adopt(adopted));
  hub.set_epoch("e2");
  EXPECT_EQ(standing("t.a").seq_at_epoch, 5U);
  apply("t.a", "{}");
  EXPECT_EQ(standing("t.a").seq_at_epoch, 5U);
}

TEST_F(AdoptTest, AHubThatForgotBeginsAnewWithTopicsOfTheSameName) {
  hub.set_epoch("e1");
  apply("t.a", R"({"a":1})");
  hub.forget_updates();
  EXPECT_EQ(hub.find("t.a"), nullptr);
  EXPECT_EQ(hub.epoch(), "");
  EXPECT_EQ(hub.last_epoch(), "");
  EXPECT_EQ(hub.image_bytes(), 0U);
  EXPECT_TRUE(hub.list(*Pattern::parse(">"), "", 10).empty());
  hub.sweep();
  for (const Dirty& dirty : hub.take_dirty()) EXPECT_EQ(dirty.last, nullptr);
  EXPECT_EQ(apply("t.a", R"({"b":1})")->image(), R"({"b":1})");
  EXPECT_EQ(hub.find("t.a")->seq(), 1U);
}

TEST_F(AdoptTest, ATopicThatNobodyCanVouchForIsStaleUntilSomebodyCan) {
  apply("t.a", "{}");
  apply("t.b", "{}");
  ASSERT_TRUE(hub.set_status("t.b", TopicStatus::kHalted));
  hub.suspend(true);
  EXPECT_EQ(hub.find("t.a")->status(), TopicStatus::kStale);
  EXPECT_EQ(hub.find("t.b")->status(), TopicStatus::kHalted);
  hub.suspend(false);
  EXPECT_EQ(hub.find("t.a")->status(), TopicStatus::kLive);
  hub.suspend(true);
  hub.feed_down(0);
  hub.suspend(false);
  EXPECT_EQ(hub.find("t.a")->status(), TopicStatus::kStale) << "its feed went down meanwhile";
}

TEST_F(AdoptTest, WhatIsNoTopicOrNoImageIsRefused) {
  AdoptedTopic bad = topic(1);
  bad.topic.topic = "t..a";
  EXPECT_EQ(hub.adopt(bad).error().code, ErrorCode::kBadTopic);
  bad = topic(1);
  bad.topic.image = "[]";
  EXPECT_EQ(hub.adopt(bad).error().code, ErrorCode::kBadData);
}

}  // namespace
}  // namespace tickwire
