#include "store/store.h"

#include <chrono>
#include <thread>

#include "fakes/fake_clock.h"
#include "store_fixture.h"

namespace tickwire {
namespace {

TEST_F(StoreTest, ARestartBringsBackImageSeqTimeAndStatusByteForByte) {
  {
    Hub hub(clock_, {});
    const auto store = open_store();
    ASSERT_TRUE(store->start(hub, kNeverFlushMs));
    ASSERT_TRUE(hub.publish("ticker.BTC-USD", R"({"last":"0.10","bid":1.00,"size":1e5,"note":"\u00e9"})"));
    ASSERT_TRUE(hub.publish("ticker.BTC-USD", R"({"last":"0.20"})"));
    ASSERT_TRUE(hub.publish("ticker.HALT", R"({"last":"7"})"));
    ASSERT_TRUE(hub.set_status("ticker.HALT", TopicStatus::kHalted));
  }
  Hub hub(clock_, {});
  const auto store = open_store();
  ASSERT_TRUE(store->restore(hub));
  const UpdatePtr update = hub.find("ticker.BTC-USD");
  ASSERT_NE(update, nullptr);
  EXPECT_EQ(update->image(), R"({"last":"0.20","bid":1.00,"size":1e5,"note":"\u00e9"})");
  EXPECT_EQ(update->seq(), 2U);
  EXPECT_EQ(update->ts(), clock_.wall_ms());
  EXPECT_EQ(update->status(), TopicStatus::kStale) << "nobody vouches for the price yet";
  ASSERT_NE(hub.find("ticker.HALT"), nullptr);
  EXPECT_EQ(hub.find("ticker.HALT")->status(), TopicStatus::kHalted);
  EXPECT_EQ(hub.topic_count(), 2U);
}

TEST_F(StoreTest, ARestartDoesNotEndAnOperatorsHalt) {
  FakeClock clock;
  const std::int64_t until_ms = clock.wall_ms() + 10'000;
  {
    Hub hub(clock, {{.pattern = "e.>", .delivery = Delivery::kEvent, .ring = 3, .stored = true}});
    const auto store = open_store();
    ASSERT_TRUE(store->start(hub, kNeverFlushMs));
    for (const char* topic : {"a", "e.a", "over", "ended"}) {
      ASSERT_TRUE(hub.publish(topic, R"({"p":1})", 7));
      const std::int64_t until = topic == std::string_view("over") ? clock.wall_ms() + 1 : until_ms;
      ASSERT_TRUE(hub.halt(topic, std::make_shared<const Halt>("news", until)));
    }
    ASSERT_TRUE(hub.publish("a", R"({"p":2})", 7));
    ASSERT_TRUE(hub.set_status("a", TopicStatus::kClosed));
    ASSERT_TRUE(hub.end_halt("ended"));
  }
  clock.advance_ms(5'000);
  Hub hub(clock, {{.pattern = "e.>", .delivery = Delivery::kEvent, .ring = 3, .stored = true}});
  const auto store = open_store();
  ASSERT_TRUE(store->restore(hub));
  for (const char* topic : {"a", "e.a"}) {
    const UpdatePtr state = hub.find(topic);
    ASSERT_NE(state->halt(), nullptr) << topic;
    EXPECT_EQ(state->status(), TopicStatus::kHalted);
    EXPECT_EQ(state->halt()->reason, "news");
    EXPECT_EQ(state->halt()->until_ms, until_ms);
    EXPECT_EQ(hub.publish(topic, "{}", kClientFeed).error().code, ErrorCode::kDenied);
  }
  EXPECT_EQ(hub.find("a")->image(), R"({"p":1})") << "what was withheld is gone";
  for (const char* topic : {"over", "ended"}) {
    EXPECT_EQ(hub.find(topic)->halt(), nullptr) << topic;
    EXPECT_EQ(hub.find(topic)->status(), TopicStatus::kStale) << topic;
  }
  EXPECT_EQ(hub.halted().size(), 2U);
  clock.advance_ms(5'000);
  hub.sweep();
  EXPECT_EQ(hub.find("a")->status(), TopicStatus::kClosed) << "as its feed said beneath it";
  EXPECT_EQ(hub.find("e.a")->status(), TopicStatus::kStale);
  EXPECT_EQ(hub.stale_count(), 3U);
}

TEST_F(StoreTest, SeqGoesOnAfterARestart) {
  fill(1);
  Hub hub(clock_, {});
  const auto store = open_store();
  ASSERT_TRUE(store->restore(hub));
  ASSERT_TRUE(store->start(hub, kNeverFlushMs));
  const auto update = hub.publish("t.0", R"({"last":"102"})");
  ASSERT_TRUE(update);
  EXPECT_EQ((*update)->seq(), 2U);
}

TEST_F(StoreTest, ACleanStopKeepsTheEpoch) {
  const std::string first = fill(1);
  EXPECT_EQ(first.size(), 16U);
  EXPECT_EQ(fill(1), first);
  EXPECT_EQ(fill(0), first);
}

TEST_F(StoreTest, OpeningWithoutStartingKeepsTheEpoch) {
  const std::string first = fill(1);
  EXPECT_EQ(open_store()->epoch(), first);
  EXPECT_EQ(open_store()->epoch(), first);
}

TEST_F(StoreTest, EachFileHasAnEpochOfItsOwn) {
  const std::string first = fill(1);
  path_ += ".other";
  EXPECT_NE(fill(1), first);
}

TEST_F(StoreTest, WritesOnItsOwnWhatChanges) {
  Hub hub(clock_, {});
  const auto store = open_store();
  ASSERT_TRUE(store->start(hub, 10));
  ASSERT_TRUE(hub.publish("t.0", "{}"));
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (store->stats().rows == 0 && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_EQ(store->stats().rows, 1U);
  EXPECT_EQ(store->stats().state, StoreState::kOk);
}

TEST_F(StoreTest, AFlushIsOneTransactionWithOneRowPerTopic) {
  Hub hub(clock_, {});
  const auto store = open_store();
  ASSERT_TRUE(store->start(hub, kNeverFlushMs));
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(hub.publish("t." + std::to_string(i % 10), "{}"));
  ASSERT_TRUE(store->flush());
  ASSERT_TRUE(store->flush()) << "with nothing to write";
  EXPECT_EQ(store->stats().flushes, 1U);
  EXPECT_EQ(store->stats().rows, 10U);
  store->stop();
  EXPECT_EQ(sql("SELECT seq FROM image WHERE topic='t.3'"), std::vector<std::string>{"10"});
}

TEST_F(StoreTest, AnImageAtItsLimitComesBack) {
  // Longer than one update may be.
  const std::string third(kImageBytesMax / 3, 'x');
  const std::string rest(kImageBytesMax - 2 * third.size() - 22, 'x');
  const std::string image = R"({"x":")" + third + R"(","y":")" + third + R"(","z":")" + rest + "\"}";
  ASSERT_EQ(image.size(), kImageBytesMax);
  {
    Hub hub(clock_, {});
    const auto store = open_store();
    ASSERT_TRUE(store->start(hub, kNeverFlushMs));
    ASSERT_TRUE(hub.publish("t.big", R"({"x":")" + third + "\"}"));
    ASSERT_TRUE(hub.publish("t.big", R"({"y":")" + third + "\"}"));
    ASSERT_TRUE(hub.publish("t.big", R"({"z":")" + rest + "\"}"));
  }
  Hub hub(clock_, {});
  const Status back = open_store()->restore(hub);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(hub.find("t.big")->image(), image);
}

TEST_F(StoreTest, AHundredThousandImagesComeBack) {
  constexpr int kImages = 100'000;
  fill(kImages);
  Hub hub(clock_, {});
  const auto begun = std::chrono::steady_clock::now();
  const Status back = open_store()->restore(hub);
  ASSERT_TRUE(back) << back.error().message;
  const auto took = std::chrono::steady_clock::now() - begun;
  EXPECT_EQ(hub.topic_count(), static_cast<std::size_t>(kImages));
  const auto took_ms = std::chrono::duration_cast<std::chrono::milliseconds>(took).count();
  RecordProperty("took_ms", static_cast<int>(took_ms));
  std::cout << "restored " << kImages << " images in " << took_ms << " ms\n";
}

const std::vector<TopicRule> kStoredChat{
    {.pattern = "chat.>", .delivery = Delivery::kEvent, .ring = 3, .stored = true}};

// "1:{...} 2:{...}": what a ring holds.
std::string ring_of(const Hub& hub, const std::string& topic) {
  std::string text;
  for (const UpdatePtr& update : hub.find_topic(topic)->ring_between(1, 1000)) {
    text += std::to_string(update->seq()) + ":" + std::string(update->data()) + " ";
  }
  return text;
}

// A topic of events whose feed is not loaded any more, or not yet, is one of events all the same.
TEST_F(StoreTest, WhatAFeedDeclaredATopicToBeSurvivesUntilAFeedForItIsLoaded) {
  const auto run = [this](const std::vector<TopicRule>& rules, const std::function<void(Hub&)>& work) {
    Hub hub(clock_, rules);
    const auto store = open_store();
    ASSERT_TRUE(store->restore(hub));
    ASSERT_TRUE(store->start(hub, kNeverFlushMs));
    work(hub);
    store->stop();
  };
  const auto delivery = [](Hub& hub) { return hub.find_topic("trade.A")->delivery(); };
  run({}, [&](Hub& hub) {
    ASSERT_TRUE(hub.add_rule({.pattern = "trade.*", .delivery = Delivery::kEvent}));
    ASSERT_TRUE(hub.publish("trade.A", R"({"n":1})"));
  });
  for (int again = 0; again < 2; ++again) {
    run({}, [&](Hub& hub) {
      EXPECT_EQ(delivery(hub), Delivery::kEvent);
      ASSERT_TRUE(hub.publish("trade.A", R"({"m":1})"));
      EXPECT_EQ(hub.find("trade.A")->image(), R"({"m":1})") << "events are not merged";
    });
  }
  run({{.pattern = "trade.*", .delivery = Delivery::kValue}},
      [&](Hub& hub) { EXPECT_EQ(delivery(hub), Delivery::kValue) << "the configuration comes first"; });
  run({}, [&](Hub& hub) {
    EXPECT_EQ(delivery(hub), Delivery::kEvent);
    ASSERT_TRUE(hub.add_rule({.pattern = "trade.*"}));
    EXPECT_EQ(delivery(hub), Delivery::kValue) << "its feed is back, and declares nothing";
    ASSERT_TRUE(hub.publish("trade.A", "{}"));
  });
  run({}, [&](Hub& hub) { EXPECT_EQ(delivery(hub), Delivery::kValue); });
}

TEST_F(StoreTest, WhatOnlyTheConfigurationDeclaredEndsWithTheConfiguration) {
  for (const bool declared : {true, false}) {
    Hub hub(clock_, declared ? std::vector<TopicRule>{{.pattern = ">", .delivery = Delivery::kEvent}}
                             : std::vector<TopicRule>{});
    const auto store = open_store();
    ASSERT_TRUE(store->restore(hub));
    ASSERT_TRUE(store->start(hub, kNeverFlushMs));
    ASSERT_TRUE(hub.publish("chat.A", "{}"));
    EXPECT_EQ(hub.find_topic("chat.A")->delivery(), declared ? Delivery::kEvent : Delivery::kValue);
    store->stop();
  }
}

TEST_F(StoreTest, AStoredHistorySurvivesARestartAndGoesOn) {
  {
    Hub hub(clock_, kStoredChat);
    const auto store = open_store();
    ASSERT_TRUE(store->start(hub, kNeverFlushMs));
    for (int i = 1; i <= 5; ++i) {
      ASSERT_TRUE(hub.publish("chat.a", R"({"n":)" + std::to_string(i) + ".0}"));
      if (i == 2) {
        ASSERT_TRUE(store->flush());
      }
    }
    ASSERT_TRUE(hub.publish("trade.a", R"({"n":1})"));
    store->stop();
  }
  EXPECT_EQ(sql("SELECT topic||seq FROM event"), (std::vector<std::string>{"chat.a3", "chat.a4", "chat.a5"}))
      << "what the ring has lost is gone from the file, and others are not in it";
  Hub hub(clock_, kStoredChat);
  const auto store = open_store();
  ASSERT_TRUE(store->restore(hub));
  ASSERT_TRUE(store->start(hub, kNeverFlushMs));
  EXPECT_EQ(ring_of(hub, "chat.a"), "3:{\"n\":3.0} 4:{\"n\":4.0} 5:{\"n\":5.0} ");
  EXPECT_EQ(ring_of(hub, "trade.a"), "");
  ASSERT_TRUE(hub.publish("chat.a", R"({"n":6})"));
  EXPECT_EQ(ring_of(hub, "chat.a"), "4:{\"n\":4.0} 5:{\"n\":5.0} 6:{\"n\":6} ");
  store->stop();
  EXPECT_EQ(sql("SELECT seq FROM event"), (std::vector<std::string>{"4", "5", "6"}));
}

TEST_F(StoreTest, AHistoryThatIsNotStoredAnyMoreIsLeftWhereItIs) {
  {
    Hub hub(clock_, kStoredChat);
    const auto store = open_store();
    ASSERT_TRUE(store->start(hub, kNeverFlushMs));
    ASSERT_TRUE(hub.publish("chat.a", "{}"));
    store->stop();
  }
  Hub hub(clock_, {});
  const auto store = open_store();
  ASSERT_TRUE(store->restore(hub));
  EXPECT_EQ(ring_of(hub, "chat.a"), "");
  EXPECT_EQ(hub.find("chat.a")->seq(), 1U);
}

TEST_F(StoreTest, ATransactionTakesTopicsUpToItsLimit) {
  Hub hub(clock_, {});
  const auto store = open_store();
  ASSERT_TRUE(store->start(hub, kNeverFlushMs));
  const auto flush_of = [&](std::size_t topics) {
    const std::uint64_t before = store->stats().flushes;
    for (std::size_t i = 0; i < topics; ++i) EXPECT_TRUE(hub.publish("t." + std::to_string(i), "{}"));
    EXPECT_TRUE(store->flush());
    return store->stats().flushes - before;
  };
  EXPECT_EQ(flush_of(kTopicsPerTransactionMax), 1U);
  EXPECT_EQ(flush_of(kTopicsPerTransactionMax + 1), 2U);
}

TEST_F(StoreTest, AStopLetsGoOfTheFile) {
  Hub hub(clock_, {});
  const auto store = open_store();
  ASSERT_TRUE(store->start(hub, kNeverFlushMs));
  store->stop();
  EXPECT_EQ(open_store()->epoch(), store->epoch());
  store->stop();
  ASSERT_TRUE(hub.publish("t.0", "{}"));
  EXPECT_TRUE(store->flush()) << "after the end there is nothing to do";
}

}  // namespace
}  // namespace tickwire
