// Processes that die without a word, and disks that refuse: what the file says afterwards.
#include <sys/mman.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <thread>

#include "store_fixture.h"

namespace tickwire {
namespace {

class StoreCrash : public StoreTest {
 protected:
  std::string epoch_now() { return open_store()->epoch(); }
};

TEST_F(StoreCrash, ACrashStartsANewEpochWithTheImagesThatWereWritten) {
  const std::string first = fill(1);
  EXPECT_EQ(in_dying_process([&] {
              Hub hub(clock_, {});
              const auto store = open_store();
              EXPECT_EQ(store->epoch(), first);
              EXPECT_TRUE(store->restore(hub));
              EXPECT_TRUE(store->start(hub, kNeverFlushMs));
              EXPECT_TRUE(hub.publish("t.0", R"({"last":"written"})"));
              EXPECT_TRUE(store->flush());
              EXPECT_TRUE(hub.publish("t.0", R"({"last":"lost"})"));
              ::_exit(::testing::Test::HasFailure() ? 1 : 0);
            }),
            0);
  Hub hub(clock_, {});
  const auto store = open_store();
  EXPECT_NE(store->epoch(), first);
  ASSERT_TRUE(store->restore(hub));
  EXPECT_EQ(hub.find("t.0")->seq(), 2U);
  EXPECT_EQ(hub.find("t.0")->image(), R"({"last":"written","bid":1.00,"n":0})");
}

TEST_F(StoreCrash, ACrashRightAfterTheStartStartsANewEpoch) {
  const std::string first = fill(1);
  EXPECT_EQ(in_dying_process([&] {
              Hub hub(clock_, {});
              const auto store = open_store();
              EXPECT_TRUE(store->start(hub, kNeverFlushMs));
              ::_exit(0);
            }),
            0);
  EXPECT_NE(epoch_now(), first);
}

TEST_F(StoreCrash, TheEpochAfterACrashIsKeptByTheNextCleanStop) {
  in_dying_process([&] {
    Hub hub(clock_, {});
    const auto store = open_store();
    EXPECT_TRUE(store->start(hub, kNeverFlushMs));
    ::_exit(0);
  });
  const std::string second = fill(1);
  EXPECT_EQ(fill(1), second);
}

// How far a child has come, in memory that it shares with its parent.
struct Progress {
  std::atomic<std::uint64_t> published;
  std::atomic<std::uint64_t> flushes;
};

class SharedProgress {
 public:
  SharedProgress()
      : memory_(
            ::mmap(nullptr, sizeof(Progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) {
    if (memory_ == MAP_FAILED) throw std::runtime_error("mmap");
  }
  ~SharedProgress() { ::munmap(memory_, sizeof(Progress)); }
  SharedProgress(const SharedProgress&) = delete;
  SharedProgress& operator=(const SharedProgress&) = delete;
  Progress* operator->() const { return static_cast<Progress*>(memory_); }

 private:
  void* memory_;
};

// Publishes, and flushes now and then on a thread of its own, until it is killed.
[[noreturn]] void publish_without_end(Hub& hub, Store& store, int topics, const SharedProgress& progress) {
  for (std::uint64_t round = 0;; ++round) {
    const std::string topic = "t." + std::to_string(round % static_cast<std::uint64_t>(topics));
    const UpdatePtr last = hub.find(topic);
    const std::uint64_t seq = last ? last->seq() + 1 : 1;
    if (!hub.publish(topic, R"({"seq":)" + std::to_string(seq) + "}")) ::_exit(1);
    progress->published = round + 1;
    progress->flushes = store.stats().flushes;
  }
}

TEST_F(StoreCrash, KilledAtAnyMomentTheFileIsWholeAndNoSeqIsAheadOfItsImage) {
  constexpr int kKills = 12;
  constexpr int kTopics = 300;
  fill(0);
  std::uint64_t restored_sum = 0;
  for (int kill = 0; kill < kKills; ++kill) {
    const SharedProgress progress;
    const pid_t child = ::fork();
    if (child == 0) {
      Hub hub(clock_, {});
      const auto store = open_store();
      if (!store->restore(hub) || !store->start(hub, 1)) ::_exit(1);
      publish_without_end(hub, *store, kTopics, progress);
    }
    // Some updates after a flush that brought something, somewhere between two flushes or within one.
    const auto flushes = static_cast<std::uint64_t>(1 + kill % 3);
    const auto updates = static_cast<std::uint64_t>(1 + 997 * kill);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while ((progress->flushes < flushes || progress->published < updates) &&
           std::chrono::steady_clock::now() < deadline) {
      std::this_thread::yield();
    }
    EXPECT_GE(progress->flushes, flushes) << "the child came to nothing within a minute";
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself";

    Hub hub(clock_, {});
    ASSERT_TRUE(open_store()->restore(hub));
    EXPECT_EQ(sql("PRAGMA integrity_check"), std::vector<std::string>{"ok"});
    std::uint64_t sum = 0;
    for (const UpdatePtr& update : hub.list(Pattern::parse(">").value(), "", kTopics)) {
      EXPECT_EQ(update->image(), R"({"seq":)" + std::to_string(update->seq()) + "}");
      sum += update->seq();
    }
    EXPECT_GT(sum, restored_sum) << "what was flushed before the kill is not there";
    restored_sum = sum;
  }
}

TEST_F(StoreCrash, AFullDiskDegradesTheStoreAndItHealsByItself) {
  Hub hub(clock_, {});
  {
    const auto store = open_store();
    ASSERT_TRUE(store->start(hub, kNeverFlushMs));
    ASSERT_TRUE(hub.publish("t.0", R"({"last":"before"})"));
    ASSERT_TRUE(store->flush());
    {
      const FullDisk full(1024);
      ASSERT_TRUE(hub.publish("t.0", R"({"last":"during"})"));
      ASSERT_TRUE(hub.publish("t.1", R"({"last":"during"})"));
      const Status failed = store->flush();
      ASSERT_FALSE(failed);
      EXPECT_EQ(failed.error().code, ErrorCode::kStoreIo) << failed.error().message;
      EXPECT_EQ(store->stats().state, StoreState::kDegraded);
      ASSERT_TRUE(hub.publish("t.0", R"({"last":"still live"})")) << "the fan-out goes on";
      ASSERT_FALSE(store->flush());
      EXPECT_EQ(store->stats().failures, 2U);
    }
    ASSERT_TRUE(store->flush());
    EXPECT_EQ(store->stats().state, StoreState::kOk);
  }
  EXPECT_EQ(sql("SELECT image FROM image ORDER BY topic"),
            (std::vector<std::string>{R"({"last":"still live"})", R"({"last":"during"})"}));
  EXPECT_EQ(sql("PRAGMA integrity_check"), std::vector<std::string>{"ok"});
}

TEST_F(StoreCrash, AStopThatCouldNotWriteEverythingIsNotClean) {
  const std::string first = fill(1);
  Hub hub(clock_, {});
  {
    const auto store = open_store();
    ASSERT_EQ(store->epoch(), first);
    ASSERT_TRUE(store->start(hub, kNeverFlushMs));
    ASSERT_TRUE(hub.publish("t.0", R"({"last":"lost"})"));
    const FullDisk full(1024);
    store->stop();
  }
  EXPECT_NE(epoch_now(), first);
}

TEST_F(StoreCrash, AStartOnAFullDiskIsRefused) {
  fill(1);
  Hub hub(clock_, {});
  const auto store = open_store();
  const FullDisk full(1024);
  const Status started = store->start(hub, kNeverFlushMs);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ErrorCode::kStoreIo);
}

}  // namespace
}  // namespace tickwire
