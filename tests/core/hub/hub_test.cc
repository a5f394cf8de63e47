#include "hub/hub.h"

#include <gtest/gtest.h>

#include <map>
#include <thread>

#include "fakes/fake_clock.h"

namespace tickwire {
namespace {

class Recorder final : public UpdateSink, public DemandListener {
 public:
  void deliver(const UpdatePtr& update) override {
    const std::lock_guard lock(mutex_);
    updates.push_back(update);
  }
  void on_demand(std::uint32_t feed, const std::string& topic, bool wanted) override {
    demands.push_back(std::to_string(feed) + (wanted ? "+" : "-") + topic);
  }
  std::vector<UpdatePtr> updates;
  std::vector<std::string> demands;

 private:
  std::mutex mutex_;
};

struct HubTest : ::testing::Test {
  FakeClock clock;
  Hub hub{clock,
          {{.pattern = "e.>", .delivery = Delivery::kEvent, .ring = 3},
           {.pattern = "s.>", .delivery = Delivery::kValue, .stale_after_ms = 5000}}};
  Recorder sink;
  [[nodiscard]] std::string image(std::string_view topic) const {
    return std::string(hub.find(topic)->image());
  }
};

TEST_F(HubTest, AnUpdateCarriesTheFeedsBytesAndTheMergedImage) {
  ASSERT_TRUE(hub.publish("a", R"({"bid":1.00,"last":"0.10"})"));
  const auto second = hub.publish("a", R"( {"last":"0.20"} )");
  ASSERT_TRUE(second);
  EXPECT_EQ((*second)->seq(), 2U);
  EXPECT_EQ((*second)->data(), R"( {"last":"0.20"} )");
  EXPECT_EQ((*second)->image(), R"({"bid":1.00,"last":"0.20"})");
  EXPECT_EQ((*second)->ts(), clock.wall_ms());
}

TEST_F(HubTest, BadInputChangesNothing) {
  ASSERT_TRUE(hub.publish("a", R"({"p":1})"));
  EXPECT_EQ(hub.publish("a", "[1]").error().code, ErrorCode::kBadData);
  EXPECT_EQ(hub.publish("a b", "{}").error().code, ErrorCode::kBadTopic);
  EXPECT_EQ(hub.publish("a.*", "{}").error().code, ErrorCode::kBadTopic);
  EXPECT_EQ(hub.find("a")->seq(), 1U);
  EXPECT_EQ(hub.set_status("b", TopicStatus::kHalted).error().code, ErrorCode::kUnknownTopic);
}

TEST_F(HubTest, AnImageStaysWithinItsLimit) {
  const auto field = [](const char* key, std::size_t bytes) {
    return std::string("{\"") + key + "\":\"" + std::string(bytes, 'x') + "\"}";
  };
  const std::size_t third = kImageBytesMax / 3;
  ASSERT_TRUE(hub.publish("a", field("a", third)));
  ASSERT_TRUE(hub.publish("a", field("b", third)));
  // {"a":"...","b":"...","c":"..."} has 22 bytes around the three values.
  EXPECT_TRUE(hub.publish("a", field("c", kImageBytesMax - 2 * third - 22)));
  EXPECT_EQ(image("a").size(), kImageBytesMax);
  const auto past = hub.publish("a", field("c", kImageBytesMax - 2 * third - 21));
  ASSERT_FALSE(past);
  EXPECT_EQ(past.error().message,
            "data: the image of a would have 2097153 bytes, at most 2097152 are allowed");
  EXPECT_EQ(hub.find("a")->seq(), 3U);
}

TEST_F(HubTest, AnEventTopicsImageIsItsLastMessageAndItsRingKeepsTheRest) {
  for (int i = 1; i <= 5; ++i) ASSERT_TRUE(hub.publish("e.a", R"({"n":)" + std::to_string(i) + "}"));
  EXPECT_EQ(image("e.a"), R"({"n":5})");
  const auto ring = hub.find_topic("e.a")->ring_between(1, 4);
  ASSERT_EQ(ring.size(), 2U);
  EXPECT_EQ(ring[0]->seq(), 3U);
}

TEST_F(HubTest, AValueTopicsRingKeepsItsUpdatesToo) {
  for (int i = 1; i <= 65; ++i) ASSERT_TRUE(hub.publish("v.a", R"({"n":)" + std::to_string(i) + "}"));
  EXPECT_EQ(hub.find_topic("v.a")->first_kept(), 2U) << "64 by default";
  const auto ring = hub.find_topic("v.a")->ring_between(1, 3);
  ASSERT_EQ(ring.size(), 2U);
  EXPECT_EQ(ring[1]->data(), R"({"n":3})");
  EXPECT_TRUE(hub.find_topic("v.a")->ring_between(66, 70).empty());
  const auto some = hub.find_topic("v.a")->ring_between(1, 65, 2);
  ASSERT_EQ(some.size(), 2U) << "the first of them";
  EXPECT_EQ(some[0]->seq(), 2U);
}

TEST_F(HubTest, TheRingsOfValueTopicsShareTheirMemory) {
  const std::string data = R"({"n":1000,"pad":")" + std::string(1000, '1') + "\"}";
  Hub small(clock, {{.pattern = "e.>", .delivery = Delivery::kEvent}}, 100'000);
  const auto kept = [&](const std::string& topic) {
    for (int i = 0; i < 64; ++i) EXPECT_TRUE(small.publish(topic, data));
    return small.find_topic(topic)->ring_between(1, 64).size();
  };
  const std::size_t alone = kept("v.a");
  EXPECT_GT(alone, 10U);
  EXPECT_LE(alone * 1000, 100'000U);
  EXPECT_LE(kept("v.b"), alone / 2 + 1);
  EXPECT_EQ(kept("e.a"), 64U) << "events are kept as configured";
  small.sweep();
  EXPECT_LE(small.find_topic("v.a")->ring_between(1, 64).size(), alone / 2);
}

// Otherwise a topic with a large image would take 64 times as much memory as its image.
TEST_F(HubTest, ARingKeepsNoLargeImages) {
  const std::string image = R"({"n":0,"pad":")" + std::string(50'000, '1') + "\"}";
  Hub small(clock, {}, 1'000'000);
  ASSERT_TRUE(small.publish("v.a", image));
  for (int i = 1; i <= 64; ++i) ASSERT_TRUE(small.publish("v.a", R"({"n":)" + std::to_string(i) + "}"));
  const auto ring = small.find_topic("v.a")->ring_between(2, 65);
  ASSERT_EQ(ring.size(), 64U) << "with their images 19 would fit";
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < ring.size(); ++i) {
    EXPECT_EQ(ring[i]->seq(), i + 2);
    EXPECT_EQ(ring[i]->data(), R"({"n":)" + std::to_string(i + 1) + "}");
    bytes += ring[i]->memory_bytes();
  }
  EXPECT_LT(bytes, 64U * 400);
  EXPECT_EQ(small.find("v.a")->image().size(), image.size() + 1) << "its last update has it";
}

// A client that resumes is sent what the ring has; what it is sent next is compressed against that.
TEST(Rings, AfterARestartTheirLastUpdateIsTheTopicsLast) {
  FakeClock clock;
  Hub hub(clock, {{.pattern = ">", .stored = true}});
  ASSERT_TRUE(hub.restore({"v.a", 3, 30, TopicStatus::kLive, R"({"a":1,"b":4})"}));
  hub.restore_ring("v.a", {{2, 20, R"({"b":3})"}, {3, 30, R"({"b":4})"}});
  const TopicPtr topic = hub.find_topic("v.a");
  EXPECT_EQ(topic->ring_between(3, 3).at(0), topic->last());
  EXPECT_EQ(topic->last()->data(), R"({"b":4})");
  EXPECT_EQ(topic->last()->image(), R"({"a":1,"b":4})");
  EXPECT_EQ(topic->last()->status(), TopicStatus::kStale);
  ASSERT_TRUE(hub.publish("v.a", R"({"c":5})"));
  EXPECT_EQ(hub.find("v.a")->image(), R"({"a":1,"b":4,"c":5})");
}

TEST(Rings, LoseWhatIsTooOld) {
  FakeClock clock;
  Hub hub(clock, {{.pattern = ">", .ring = 3, .ring_ms = 1000}});
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(hub.publish("a", "{}"));
  clock.advance_ms(1000);
  hub.sweep();
  EXPECT_EQ(hub.find_topic("a")->first_kept(), 1U) << "at the limit";
  clock.advance_ms(1);
  hub.sweep();
  EXPECT_EQ(hub.find_topic("a")->first_kept(), 4U);
}

TEST(Rules, WhatOneLeavesOpenTheNextThatMatchesDecides) {
  FakeClock clock;
  Hub hub(clock, {{.pattern = "trade.x", .ring = 2}, {.pattern = "trade.>", .ring = 5}});
  ASSERT_TRUE(hub.add_rule({.pattern = "trade.>", .delivery = Delivery::kEvent}));
  for (int i = 0; i < 9; ++i) {
    ASSERT_TRUE(hub.publish("trade.x", "{}"));
    ASSERT_TRUE(hub.publish("trade.y", "{}"));
  }
  EXPECT_EQ(hub.find_topic("trade.x")->delivery(), Delivery::kEvent);
  EXPECT_EQ(hub.find_topic("trade.x")->first_kept(), 8U);
  EXPECT_EQ(hub.find_topic("trade.y")->first_kept(), 5U);
}

TEST_F(HubTest, ATopicThatBecomesAValueAgainMergesIntoItsLastMessage) {
  ASSERT_TRUE(hub.publish("v.a", R"({"long":"text","x":0})"));
  hub.set_rules({{"v.>", Delivery::kEvent}});
  ASSERT_TRUE(hub.publish("v.a", R"({"a":1,"b":2})"));
  hub.set_rules({});
  ASSERT_TRUE(hub.publish("v.a", R"({"b":3})"));
  EXPECT_EQ(image("v.a"), R"({"a":1,"b":3})");
}

TEST_F(HubTest, AClockThatStepsBackDoesNotMakeUpdatesLookOlder) {
  const auto first = hub.publish("a", "{}");
  clock.set_wall_ms(clock.wall_ms() - 60'000);
  const auto second = hub.publish("a", "{}");
  EXPECT_EQ((*second)->ts(), (*first)->ts());
}

TEST_F(HubTest, StaleByAgeByADeadFeedAndLiveAgainWithTheNextUpdate) {
  ASSERT_TRUE(hub.publish("s.a", R"({"p":1})", 7));
  ASSERT_TRUE(hub.publish("x.a", R"({"p":1})", 7));
  clock.advance_ms(5000);
  hub.sweep();
  EXPECT_EQ(hub.find("s.a")->status(), TopicStatus::kLive) << "at the limit";
  clock.advance_ms(1);
  hub.sweep();
  EXPECT_EQ(hub.find("s.a")->status(), TopicStatus::kStale);
  EXPECT_EQ(hub.find("x.a")->status(), TopicStatus::kLive);
  EXPECT_EQ(hub.stale_count(), 1U);
  hub.feed_down(7);
  EXPECT_EQ(hub.stale_count(), 2U);
  EXPECT_EQ(hub.find("x.a")->seq(), 1U) << "a status has no seq of its own";
  EXPECT_EQ(image("x.a"), R"({"p":1})");
  ASSERT_TRUE(hub.publish("x.a", R"({"q":2})", 7));
  EXPECT_EQ(hub.find("x.a")->status(), TopicStatus::kLive);
  EXPECT_EQ(image("x.a"), R"({"p":1,"q":2})");
  EXPECT_EQ(hub.stale_count(), 1U);
}

TEST_F(HubTest, HaltedAndClosedStayThroughUpdates) {
  ASSERT_TRUE(hub.publish("a", "{}"));
  ASSERT_TRUE(hub.set_status("a", TopicStatus::kHalted));
  ASSERT_TRUE(hub.publish("a", "{}"));
  EXPECT_EQ(hub.find("a")->status(), TopicStatus::kHalted);
}

TEST_F(HubTest, AgeIsCountedByAClockThatNobodyPutsForwardOrBack) {
  (void)hub.publish("s.a", "{}");
  clock.set_wall_ms(clock.wall_ms() + 86'400'000);
  hub.sweep();
  EXPECT_EQ(hub.find("s.a")->status(), TopicStatus::kLive) << "the wall clock was put forward";
  clock.set_wall_ms(clock.wall_ms() - 2 * 86'400'000);
  clock.advance_ms(5001);
  hub.sweep();
  EXPECT_EQ(hub.find("s.a")->status(), TopicStatus::kStale) << "the wall clock was put back";
}

TEST_F(HubTest, AgeThatNobodyAskedForCountsFromWhenItIsAskedFor) {
  (void)hub.publish("quiet", "{}");
  const TopicRule aging{.pattern = "quiet", .stale_after_ms = 1000};
  for (int round = 0; round < 2; ++round) {
    clock.advance_ms(60'000);
    hub.set_rules({aging});
    hub.sweep();
    EXPECT_EQ(hub.find("quiet")->status(), TopicStatus::kLive);
    hub.set_rules({});
  }
  hub.set_rules({aging});
  clock.advance_ms(1001);
  hub.sweep();
  EXPECT_EQ(hub.find("quiet")->status(), TopicStatus::kStale);
}

TEST_F(HubTest, WhatTheStoreKeptComesBackStaleAndGoesOnInSequence) {
  ASSERT_TRUE(hub.restore({"a", 41, 1000, TopicStatus::kLive, R"({"p":"0.10"})"}));
  EXPECT_EQ(hub.find("a")->seq(), 41U);
  EXPECT_EQ(hub.find("a")->status(), TopicStatus::kStale);
  EXPECT_EQ(hub.stale_count(), 1U);
  EXPECT_EQ((*hub.publish("a", R"({"q":1})"))->seq(), 42U);
  EXPECT_EQ(image("a"), R"({"p":"0.10","q":1})");
  EXPECT_EQ(hub.stale_count(), 0U);
}

TEST_F(HubTest, DirtyTopicsAreTakenOnceWithTheirLatest) {
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(hub.publish("a", "{}"));
  ASSERT_TRUE(hub.publish("b", "{}"));
  const auto dirty = hub.take_dirty();
  ASSERT_EQ(dirty.size(), 2U);
  EXPECT_EQ(dirty[0].last->seq(), 3U);
  EXPECT_TRUE(dirty[0].events.empty()) << "its history is not stored";
  EXPECT_TRUE(hub.take_dirty().empty());
  ASSERT_TRUE(hub.publish("a", "{}"));
  EXPECT_EQ(hub.take_dirty().size(), 1U);
}

TEST_F(HubTest, AFeedsRuleAppliesToTopicsThatExistButNotOverTheConfigs) {
  ASSERT_TRUE(hub.publish("t.a", "{}"));
  ASSERT_TRUE(hub.add_rule({.pattern = "t.>", .delivery = Delivery::kEvent}));
  ASSERT_TRUE(hub.add_rule({.pattern = "s.>", .delivery = Delivery::kEvent}));
  EXPECT_EQ(hub.find_topic("t.a")->delivery(), Delivery::kEvent);
  ASSERT_TRUE(hub.publish("s.a", "{}"));
  EXPECT_EQ(hub.find_topic("s.a")->delivery(), Delivery::kValue);
  EXPECT_FALSE(hub.add_rule({.pattern = "t.>.x", .delivery = Delivery::kEvent}));
}

TEST_F(HubTest, ListsTopicsWithUpdatesInOrderOfName) {
  for (const char* topic : {"t.b", "t.a", "u.a"}) ASSERT_TRUE(hub.publish(topic, "{}"));
  ASSERT_TRUE(hub.add_interest(hub.add_sink(sink), "t.nothing"));
  std::vector<std::string> names;
  for (const auto& update : hub.list(*Pattern::parse("t.>"), "", 10)) names.push_back(update->topic().name);
  EXPECT_EQ(names, (std::vector<std::string>{"t.a", "t.b"}));
  EXPECT_EQ(hub.list(*Pattern::parse(">"), "t.a", 1).at(0)->topic().name, "t.b");
}

TEST_F(HubTest, DemandIsTheFirstAndTheLastSubscriberOfATopic) {
  hub.demand().set_listener(&sink);
  const SinkId id = hub.add_sink(sink);
  hub.demand().add_feed(1, *Pattern::parse("t.*"), std::nullopt);
  hub.demand().add_feed(2, *Pattern::parse("t.>"), std::vector<std::string>{"t.a", "t.b"});
  Topic& topic = *hub.add_interest(id, "t.a")->topic;
  ASSERT_TRUE(hub.add_interest(id, "t.a"));
  EXPECT_EQ(sink.demands, (std::vector<std::string>{"1+t.a", "2+t.a"}));
  hub.add_pattern_interest(id, *Pattern::parse("t.*"));
  hub.drop_interest(id, topic, true);
  hub.drop_interest(id, topic, true);
  EXPECT_EQ(sink.demands, (std::vector<std::string>{"1+t.a", "2+t.a", "2+t.b", "1-t.a"}))
      << "a feed that names its topics is asked for those a pattern wants, the other for exact topics only";
  hub.drop_pattern_interest(id, *Pattern::parse("t.*"));
  EXPECT_EQ(sink.demands.size(), 6U);
}

TEST_F(HubTest, AFeedThatComesLaterHearsWhatIsWantedAlready) {
  hub.demand().set_listener(&sink);
  const SinkId id = hub.add_sink(sink);
  hub.add_pattern_interest(id, *Pattern::parse("t.*"));
  ASSERT_TRUE(hub.add_interest(id, "t.x"));
  hub.demand().add_feed(1, *Pattern::parse("t.*"), std::nullopt);
  hub.demand().add_feed(2, *Pattern::parse("t.*"), std::vector<std::string>{"t.a"});
  hub.demand().set_feed_topics(2, {"t.b", "t.x"});
  EXPECT_EQ(sink.demands, (std::vector<std::string>{"1+t.x", "2+t.a", "2-t.a", "2+t.b", "2+t.x"}));
}

// Publishers on several threads, a sink that comes and goes: from each registration on every seq once, in
// order.
TEST_F(HubTest, ASinkSeesEverySeqAfterTheOneItRegisteredAt) {
  constexpr int kPublishers = 3;
  constexpr int kEach = 4000;
  std::atomic<bool> go = false;
  std::vector<std::thread> publishers;
  for (int p = 0; p < kPublishers; ++p) {
    publishers.emplace_back([&] {
      while (!go) std::this_thread::yield();
      for (int i = 0; i < kEach; ++i) {
        ASSERT_TRUE(hub.publish("t." + std::to_string(i % 5), R"({"p":)" + std::to_string(i) + "}"));
      }
    });
  }
  go = true;
  const Pattern pattern = *Pattern::parse("t.*");
  for (int round = 0; round < 50; ++round) {
    Recorder recorder;
    const SinkId id = hub.add_sink(recorder);
    std::map<std::string, std::uint64_t> seq;
    hub.add_pattern_interest(id, pattern);
    std::string after;
    std::vector<Interest> joined;
    while (!hub.join_topics(id, pattern, nullptr, after, joined)) {
    }
    for (const Interest& interest : joined) {
      if (!interest.delivered && interest.update) seq[interest.topic->name] = interest.update->seq();
    }
    std::this_thread::yield();
    hub.drop_pattern_interest(id, pattern);
    hub.remove_sink(id);
    for (const UpdatePtr& update : recorder.updates) {
      ASSERT_EQ(update->seq(), seq[update->topic().name] + 1);
      seq[update->topic().name] = update->seq();
    }
  }
  for (std::thread& publisher : publishers) publisher.join();
  std::uint64_t total = 0;
  for (const auto& update : hub.list(pattern, "", 10)) total += update->seq();
  EXPECT_EQ(total, static_cast<std::uint64_t>(kPublishers * kEach));
}

}  // namespace
}  // namespace tickwire
