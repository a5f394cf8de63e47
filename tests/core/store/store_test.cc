#include "store/store.h"

#include <chrono>
#include <thread>

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
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
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
  const std::string image = R"({"x":")" + std::string(kImageBytesMax - 8, 'x') + "\"}";
  ASSERT_EQ(image.size(), kImageBytesMax);
  {
    Hub hub(clock_, {});
    const auto store = open_store();
    ASSERT_TRUE(store->start(hub, kNeverFlushMs));
    ASSERT_TRUE(hub.publish("t.big", image));
  }
  Hub hub(clock_, {});
  ASSERT_TRUE(open_store()->restore(hub));
  EXPECT_EQ(hub.find("t.big")->image(), image);
}

TEST_F(StoreTest, AHundredThousandImagesAreBackWellUnderASecond) {
  constexpr int kImages = 100'000;
  fill(kImages);
  Hub hub(clock_, {});
  const auto begun = std::chrono::steady_clock::now();
  ASSERT_TRUE(open_store()->restore(hub));
  const auto took = std::chrono::steady_clock::now() - begun;
  EXPECT_EQ(hub.topic_count(), static_cast<std::size_t>(kImages));
  const auto took_ms = std::chrono::duration_cast<std::chrono::milliseconds>(took).count();
  RecordProperty("took_ms", static_cast<int>(took_ms));
  std::cout << "restored " << kImages << " images in " << took_ms << " ms\n";
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  EXPECT_LT(took_ms, 1000);
#endif
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
