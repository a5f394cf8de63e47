// An operator's halt of a topic, as the hub holds it.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "fakes/fake_clock.h"
#include "hub/hub.h"
#include "model/json_object.h"

namespace tickwire {
namespace {

struct HaltTest : ::testing::Test, UpdateSink {
  void deliver(const UpdatePtr& update) override {
    const std::string what = update->status_only() ? "" : " " + std::string(update->data());
    const Halt* const halt = update->halt();
    heard.push_back(std::string(name_of(update->status())) + what + (halt ? " (" + halt->reason + ")" : ""));
  }
  void SetUp() override {
    const SinkId sink = hub.add_sink(*this);
    for (const char* topic : {"a", "e.a"}) ASSERT_TRUE(hub.add_interest(sink, topic));
    ASSERT_TRUE(hub.publish("a", R"({"p":1,"q":1})", 7));
    ASSERT_TRUE(hub.publish("e.a", R"({"n":1})", 7));
    heard.clear();
  }
  void halt(const std::string& topic, const std::string& reason = "news", std::int64_t for_ms = 0) {
    const std::int64_t until_ms = for_ms == 0 ? 0 : clock.wall_ms() + for_ms;
    ASSERT_TRUE(hub.halt(topic, std::make_shared<const Halt>(reason, until_ms)));
  }
  void advance_ms(std::int64_t ms) {
    clock.advance_ms(ms);
    hub.sweep();
  }
  std::vector<std::string> take() { return std::exchange(heard, {}); }

  using Lines = std::vector<std::string>;
  FakeClock clock;
  Hub hub{clock,
          {{.pattern = "e.>", .delivery = Delivery::kEvent, .ring = 3},
           {.pattern = "s.>", .delivery = Delivery::kValue, .stale_after_ms = 5'000}}};
  std::vector<std::string> heard;
};

TEST_F(HaltTest, WhatFeedsPublishToAValueTopicComesAsOneUpdateWhenItIsOver) {
  halt("a");
  EXPECT_EQ(take(), Lines{"halted (news)"});
  ASSERT_TRUE(hub.publish("a", R"({"p":2})", 7));
  ASSERT_TRUE(hub.publish("a", R"({"r":3})", 7));
  ASSERT_TRUE(hub.publish("a", R"({"p":4})"));  // the program that the server runs in
  EXPECT_EQ(take(), Lines{}) << "nobody sees it";
  EXPECT_EQ(hub.find("a")->image(), R"({"p":1,"q":1})");
  EXPECT_EQ(hub.find("a")->seq(), 1U);
  EXPECT_EQ(hub.end_halt("a").value(), 3U);
  EXPECT_EQ(take(), (Lines{R"(halted {"p":4,"q":1,"r":3} (news))", "live"}))
      << "the data first: to clients a halted topic stays halted through updates";
  EXPECT_EQ(hub.find("a")->seq(), 2U);
  ASSERT_TRUE(hub.publish("a", R"({"q":5})", 7));
  EXPECT_EQ(hub.find("a")->image(), R"({"p":4,"q":5,"r":3})");
  EXPECT_EQ(hub.withheld(), 3U);
}

TEST_F(HaltTest, WhatFeedsDeletedMeanwhileIsDeletedInTheUpdateThatEndsIt) {
  ASSERT_TRUE(hub.publish("a", R"({"r":5})", 7));
  const std::string before(hub.find("a")->image());
  halt("a");
  ASSERT_TRUE(hub.publish("a", R"({"r":null,"q":7})", 7));
  ASSERT_TRUE(hub.end_halt("a"));
  EXPECT_EQ(hub.find("a")->image().find("\"r\""), std::string_view::npos);
  bool told = false;
  for (const std::string& line : take()) told = told || line.find(R"("r":null)") != std::string::npos;
  EXPECT_TRUE(told) << before;
  halt("a");
  ASSERT_TRUE(hub.publish("a", R"({"p":null,"q":null})", 7));
  ASSERT_TRUE(hub.end_halt("a"));
  EXPECT_EQ(hub.find("a")->image(), "{}");
}

TEST_F(HaltTest, WhatFeedsPublishToAnEventTopicIsDropped) {
  halt("e.a");
  ASSERT_TRUE(hub.publish("e.a", R"({"n":2})", 7));
  EXPECT_EQ(hub.end_halt("e.a").value(), 1U);
  EXPECT_EQ(take(), (Lines{"halted (news)", "live"}));
  ASSERT_TRUE(hub.publish("e.a", R"({"n":3})", 7));
  EXPECT_EQ(hub.find("e.a")->seq(), 2U) << "seqs have no hole";
}

TEST_F(HaltTest, AClientIsRefusedAndToldWhy) {
  halt("a", "price in doubt", 90'000);
  const auto refused = hub.publish("a", R"({"p":2})", kClientFeed);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kDenied);
  EXPECT_EQ(refused.error().field, "topic");
  EXPECT_EQ(refused.error().retry_after_ms, 90'000);
  EXPECT_EQ(refused.error().message, "topic: a is halted for 90 s more: price in doubt");
  halt("a", "price in doubt");
  EXPECT_EQ(hub.publish("a", "{}", kClientFeed).error().message, "topic: a is halted: price in doubt");
  EXPECT_EQ(hub.end_halt("a").value(), 0U) << "what was refused is not withheld";
  EXPECT_TRUE(hub.publish("a", R"({"p":2})", kClientFeed));
}

TEST_F(HaltTest, ItEndsByItself) {
  halt("a", "news", 10'000);
  ASSERT_TRUE(hub.publish("a", R"({"p":2})", 7));
  (void)take();
  advance_ms(9'999);
  EXPECT_EQ(take(), Lines{});
  advance_ms(1);
  EXPECT_EQ(take(), (Lines{R"(halted {"p":2,"q":1} (news))", "live"}));
  EXPECT_TRUE(hub.halted().empty());
  EXPECT_EQ(hub.end_halt("a").error().code, ErrorCode::kUnknownTopic);
}

TEST_F(HaltTest, AnotherTimeAndReasonTakeThePlaceOfTheFirst) {
  halt("a", "first", 10'000);
  halt("a", "second", 60'000);
  EXPECT_EQ(take(), (Lines{"halted (first)", "halted (second)"}));
  advance_ms(30'000);
  EXPECT_EQ(hub.find("a")->status(), TopicStatus::kHalted);
  halt("a", "third", 1'000);
  (void)take();
  advance_ms(1'000);
  EXPECT_EQ(take(), Lines{"live"}) << "also a shorter one";
}

TEST_F(HaltTest, TheStatusBeneathIsWhatComesAfter) {
  halt("a");
  hub.feed_down(7);
  EXPECT_EQ(hub.find("a")->status(), TopicStatus::kHalted);
  ASSERT_TRUE(hub.end_halt("a"));
  EXPECT_EQ(hub.find("a")->status(), TopicStatus::kStale);
  EXPECT_EQ(hub.stale_count(), 2U) << "e.a is of the same feed";

  halt("a");
  EXPECT_EQ(hub.stale_count(), 1U);
  ASSERT_TRUE(hub.publish("a", R"({"p":2})", 7));
  hub.feed_down(7);
  ASSERT_TRUE(hub.end_halt("a"));
  EXPECT_EQ(hub.find("a")->status(), TopicStatus::kStale) << "its feed came and went meanwhile";
  EXPECT_EQ(hub.find("a")->image(), R"({"p":2,"q":1})");

  halt("a");
  ASSERT_TRUE(hub.set_status("a", TopicStatus::kHalted));  // by its feed
  (void)take();
  ASSERT_TRUE(hub.end_halt("a"));
  EXPECT_EQ(take(), Lines{"halted"}) << "without the operator's reason";
}

TEST_F(HaltTest, AgeCountsBeneathIt) {
  ASSERT_TRUE(hub.publish("s.a", R"({"p":1})", 7));
  halt("s.a");
  advance_ms(4'000);
  ASSERT_TRUE(hub.publish("s.a", R"({"p":2})", 7));
  advance_ms(4'000);
  ASSERT_TRUE(hub.end_halt("s.a"));
  EXPECT_EQ(hub.find("s.a")->status(), TopicStatus::kLive);
  halt("s.a");
  advance_ms(5'001);
  ASSERT_TRUE(hub.end_halt("s.a"));
  EXPECT_EQ(hub.find("s.a")->status(), TopicStatus::kStale);
}

TEST_F(HaltTest, ALateJoinerIsToldWithTheState) {
  halt("a", "news", 10'000);
  const UpdatePtr state = hub.find("a");
  ASSERT_NE(state->halt(), nullptr);
  EXPECT_EQ(state->halt()->until_ms, clock.wall_ms() + 10'000);
  ASSERT_EQ(hub.halted().size(), 1U);
  EXPECT_EQ(hub.halted().front().topic, "a");
}

TEST_F(HaltTest, BadInputHaltsNothing) {
  const auto news = std::make_shared<const Halt>("news");
  EXPECT_EQ(hub.halt("b", news).error().code, ErrorCode::kUnknownTopic);
  EXPECT_EQ(hub.halt("a b", news).error().code, ErrorCode::kBadTopic);
  EXPECT_EQ(hub.end_halt("a").error().code, ErrorCode::kUnknownTopic);
  EXPECT_EQ(hub.end_halt("a.*").error().code, ErrorCode::kBadTopic);
  EXPECT_EQ(take(), Lines{});
}

TEST_F(HaltTest, WhatIsWithheldHasTheLimitsOfAnImage) {
  halt("a");
  const auto field = [](const std::string& name, std::size_t bytes) {
    return "{\"" + name + "\":\"" + std::string(bytes - name.size() - 7, 'x') + "\"}";
  };
  ASSERT_TRUE(hub.publish("a", field("x", 1'000'000), 7));
  ASSERT_TRUE(hub.publish("a", field("y", 1'000'000), 7));
  const auto refused = hub.publish("a", field("z", 1'000'000), 7);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().limit, Limit::kImageBytes);
  ASSERT_TRUE(hub.end_halt("a"));
  EXPECT_GT(hub.find("a")->image().size(), 2'000'000U);
  EXPECT_EQ(hub.image_bytes(), hub.find("a")->image().size() + hub.find("e.a")->image().size());
}

TEST_F(HaltTest, SoManyTopicsAreHeldAtOnceAndNotOneMore) {
  for (std::size_t i = 0; i <= kHaltsMax; ++i) {
    const std::string topic = "t." + std::to_string(i);
    ASSERT_TRUE(hub.publish(topic, "{}"));
    if (i < kHaltsMax) halt(topic);
  }
  const auto one_more = hub.halt("t." + std::to_string(kHaltsMax), std::make_shared<const Halt>("news"));
  ASSERT_FALSE(one_more);
  EXPECT_EQ(one_more.error().code, ErrorCode::kTooMany);
  halt("t.0", "one that is held already");
  ASSERT_TRUE(hub.end_halt("t.0"));
  halt("t." + std::to_string(kHaltsMax));
}

TEST_F(HaltTest, ANewEpochHasTheSeqAtWhichItBegan) {
  hub.set_epoch("one");
  halt("a");
  ASSERT_TRUE(hub.publish("a", R"({"p":2})", 7));
  hub.set_epoch("two");
  ASSERT_TRUE(hub.end_halt("a"));
  EXPECT_EQ(hub.find_topic("a")->standing().seq, 2U);
  EXPECT_EQ(hub.find_topic("a")->standing().seq_at_epoch, 1U);
}

}  // namespace
}  // namespace tickwire
