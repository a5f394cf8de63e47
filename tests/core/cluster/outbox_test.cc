// What waits in the outbox of a node until it is in the log and back, and who hears what of it.
#include "cluster/outbox.h"

#include <gtest/gtest.h>

#include "fakes/fake_clock.h"

namespace tickwire::cluster {
namespace {

class OutboxTest : public testing::Test {
 protected:
  static constexpr std::size_t kBytesMax = std::size_t{1} << 20U;

  Publisher::Outcome say(const std::string& topic, const std::string& data) {
    return outbox.publish(topic, std::string_view(data), 0,
                          [this](const Publisher::Outcome& outcome) { heard.push_back(outcome); });
  }

  void put(const std::string& topic, const std::string& data) { static_cast<void>(say(topic, data)); }

  FakeClock clock;
  Hub hub{clock, {{.pattern = "e.>", .delivery = Delivery::kEvent}}};
  Currency currency;
  Outbox outbox{hub, currency, [] {}, kBytesMax};
  std::vector<Publisher::Outcome> heard;
};

TEST_F(OutboxTest, OneHearsOfAnUpdateOnceItIsApplied) {
  outbox.set_node("a");
  EXPECT_EQ(*say("t.x", R"({"a":1})"), 0U) << "its seq is not known yet";
  const auto parcel = outbox.next();
  ASSERT_TRUE(parcel);
  EXPECT_EQ(parcel->no, 1U);
  outbox.appended(1);
  EXPECT_FALSE(outbox.next());
  EXPECT_TRUE(heard.empty());
  outbox.applied("b", 1, {std::uint64_t{9}});
  EXPECT_TRUE(heard.empty()) << "that is another node's";
  outbox.applied("a", 1, {std::uint64_t{7}});
  ASSERT_EQ(heard.size(), 1U);
  EXPECT_EQ(*heard[0], 7U);
  EXPECT_EQ(outbox.bytes(), 0U);
}

TEST_F(OutboxTest, ABatchCarriesWhatWaitsWithTheDeliveryOfItsTopic) {
  put("t.x", R"({"a":1})");
  put("e.x", R"({"b":2})");
  const auto parcel = outbox.next();
  const auto records = read_records(parcel->records);
  ASSERT_TRUE(records);
  ASSERT_EQ(records->size(), 2U);
  EXPECT_EQ((*records)[0].delivery, Delivery::kValue);
  EXPECT_EQ((*records)[1].delivery, Delivery::kEvent);
  EXPECT_EQ((*records)[1].data, R"({"b":2})");
}

TEST_F(OutboxTest, ABatchIsClosedAtItsLimitsAndOnePastIsTheNext) {
  for (std::size_t i = 0; i < kBatchRecordsMax + 1; ++i) put("t.x", "{}");
  EXPECT_EQ(read_records(outbox.next()->records)->size(), kBatchRecordsMax);
  outbox.appended(1);
  EXPECT_EQ(read_records(outbox.next()->records)->size(), 1U);
}

TEST_F(OutboxTest, WhatTheLogDoesNotHaveIsSentAgainAndNothingElse) {
  for (int i = 0; i < 3; ++i) {
    put("t.x", "{}");
    outbox.appended(outbox.next()->no);
  }
  outbox.in_log(1);
  EXPECT_EQ(outbox.next()->no, 2U);
  outbox.appended(2);
  EXPECT_EQ(outbox.next()->no, 3U);
}

TEST_F(OutboxTest, UnderAnotherNameWhatIsOnItsWayIsUnavailable) {
  put("t.x", "{}");
  ASSERT_TRUE(outbox.next());
  put("t.x", R"({"later":1})");
  outbox.set_node("b");
  ASSERT_EQ(heard.size(), 1U);
  EXPECT_EQ(heard[0].error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(outbox.next()->no, 1U) << "what waited begins the new numbers";
}

TEST_F(OutboxTest, CutOffItRefuses) {
  outbox.set_reachable(false);
  EXPECT_EQ(say("t.x", "{}").error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(heard.size(), 1U);
  outbox.set_reachable(true);
  EXPECT_TRUE(say("t.x", "{}"));
}

TEST_F(OutboxTest, PastItsBytesItRefusesAndNamesTheLimit) {
  const std::string data = R"({"a":")" + std::string(kBytesMax / 4, 'x') + R"("})";
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(say("t.x", data));
  const auto refused = say("t.x", data);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kTooMany);
  EXPECT_NE(refused.error().message.find("1 MB"), std::string::npos);
}

TEST_F(OutboxTest, BadTopicsAndUnknownOnesAreRefusedAtOnce) {
  EXPECT_EQ(say("t..x", "{}").error().code, ErrorCode::kBadTopic);
  EXPECT_EQ(say("t.x", "[]").error().code, ErrorCode::kBadData);
  EXPECT_EQ(outbox.set_status("t.none", TopicStatus::kHalted).error().code, ErrorCode::kUnknownTopic);
  EXPECT_FALSE(outbox.next());
}

}  // namespace
}  // namespace tickwire::cluster
