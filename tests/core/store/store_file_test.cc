// The store's file in the hands of other programs: deleted, moved, replaced, overwritten, copied in this
// process.
#include "store/store_file.h"

#include <fcntl.h>
#include <sys/wait.h>

#include <csignal>
#include <fstream>
#include <functional>

#include "store_fixture.h"

namespace tickwire {
namespace {

class StoreFileTest : public StoreTest {
 protected:
  // A store that runs and has t.0 at seq 1 in its file.
  std::unique_ptr<Store> started() {
    auto store = open_store();
    EXPECT_TRUE(store->start(hub_, kNeverFlushMs));
    publish(1);
    EXPECT_TRUE(store->flush());
    return store;
  }
  void publish(int n) { EXPECT_TRUE(hub_.publish("t.0", R"({"n":)" + std::to_string(n) + "}")); }
  // What the next start finds of t.0.
  std::string next_start() {
    Hub hub(clock_, {});
    EXPECT_TRUE(open_store()->restore(hub));
    const UpdatePtr update = hub.find("t.0");
    return update ? std::string(update->image()) : "nothing";
  }
  [[nodiscard]] std::string other(const std::string& name) const { return (folder_ / name).string(); }
  void write_text(const std::string& path, const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
  }
  std::string text_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  Hub hub_{clock_, {}};
};

// --- the lock -------------------------------------------------------------------------------------------

TEST_F(StoreFileTest, NoCloseOfTheFileInTheProcessTakesTheLockAway) {
  const auto store = started();
  for (const char* part : {"", "-wal", ".lock"}) {
    const int descriptor = ::open((path_ + part).c_str(), O_RDONLY | O_CLOEXEC);
    ASSERT_GE(descriptor, 0) << part;
    ::close(descriptor);
  }
  EXPECT_EQ(in_dying_process([this] { EXPECT_EQ(Store::open(path_).error().code, ErrorCode::kStoreLocked); }),
            0);
}

TEST_F(StoreFileTest, NoOtherNameOfTheFileLeadsAroundTheLock) {
  const auto store = started();
  std::filesystem::create_symlink(path_, other("link.db"));
  std::filesystem::create_directory_symlink(folder_, other("folder"));
  std::filesystem::create_hard_link(path_, other("hard.db"));
  for (const char* name : {"link.db", "folder/ticks.db", "hard.db"}) {
    const auto second = Store::open(other(name));
    ASSERT_FALSE(second) << name;
    EXPECT_EQ(second.error().code, ErrorCode::kStoreLocked) << name;
  }
}

TEST_F(StoreFileTest, AFileThatWasPutInItsPlaceIsNotOpenedByASecondServer) {
  const auto store = started();
  std::filesystem::rename(path_, other("moved.db"));
  EXPECT_EQ(Store::open(path_).error().code, ErrorCode::kStoreLocked) << "the path is held";
  EXPECT_EQ(Store::open(other("moved.db")).error().code, ErrorCode::kStoreLocked) << "and so is the file";
}

TEST_F(StoreFileTest, ALockFileThatSomebodyRemovedIsTakenAnew) {
  const auto store = started();
  std::filesystem::remove(path_ + ".lock");
  EXPECT_TRUE(store->flush());
  EXPECT_TRUE(std::filesystem::exists(path_ + ".lock"));
  EXPECT_EQ(store->stats().state, StoreState::kOk);
}

TEST_F(StoreFileTest, AStopLeavesNothingButTheFile) {
  started()->stop();
  std::vector<std::string> left;
  for (const auto& entry : std::filesystem::directory_iterator(folder_))
    left.push_back(entry.path().filename());
  EXPECT_EQ(left, std::vector<std::string>{"ticks.db"});
}

TEST_F(StoreFileTest, AChildThatOutlivesAKilledServerKeepsNoLock) {
  int alive[2];
  int begun[2];
  ASSERT_EQ(::pipe(alive), 0);
  ASSERT_EQ(::pipe(begun), 0);
  const pid_t server = ::fork();
  if (server == 0) {
    const auto store = open_store();
    const pid_t child = ::fork();
    char byte = 'x';
    if (child == 0) {
      ::close(alive[1]);
      if (::write(begun[1], &byte, 1) != 1) ::_exit(1);
      ::_exit(::read(alive[0], &byte, 1) == 0 ? 0 : 1);  // until the test is over
    }
    ::_exit(::read(begun[0], &byte, 1) == 1 ? 0 : 1);  // killed once its child runs
  }
  int status = 0;
  ::waitpid(server, &status, 0);
  EXPECT_TRUE(Store::open(path_));
  for (const int end : {alive[0], alive[1], begun[0], begun[1]}) ::close(end);
}

// --- gone -----------------------------------------------------------------------------------------------

TEST_F(StoreFileTest, AFileThatIsGoneIsWrittenAnewByTheNextFlush) {
  const std::vector<std::pair<std::string, std::function<void()>>> ways{
      {"deleted", [this] { std::filesystem::remove(path_); }},
      {"deleted with its log",
       [this] {
         std::filesystem::remove(path_);
         std::filesystem::remove(path_ + "-wal");
       }},
      {"moved away", [this] { std::filesystem::rename(path_, other("moved.db")); }},
      {"emptied", [this] { std::filesystem::resize_file(path_, 0); }},
      {"its log deleted", [this] { std::filesystem::remove(path_ + "-wal"); }},
      {"its log emptied", [this] { std::filesystem::resize_file(path_ + "-wal", 0); }},
      {"its log scribbled on", [this] { write_text(path_ + "-wal", std::string(9000, 'x')); }}};
  int n = 1;
  for (const auto& [way, harm] : ways) {
    const auto store = started();
    publish(++n);
    EXPECT_TRUE(store->flush()) << way;
    const std::uint64_t failures = store->stats().failures;
    harm();
    EXPECT_TRUE(store->flush()) << way << ", although nothing was published since";
    EXPECT_EQ(store->stats().state, StoreState::kOk) << way;
    EXPECT_EQ(store->stats().failures, failures + 1) << way << " is counted";
    const std::string epoch = store->epoch();
    store->stop();
    EXPECT_EQ(next_start(), R"({"n":)" + std::to_string(n) + "}") << way;
    EXPECT_EQ(open_store()->epoch(), epoch) << way;
    EXPECT_EQ(sql("PRAGMA integrity_check"), std::vector<std::string>{"ok"}) << way;
  }
}

TEST_F(StoreFileTest, AFileThatWasMovedAwayIsWholeWhereItIs) {
  const auto store = started();
  std::filesystem::rename(path_, other("moved.db"));
  ASSERT_TRUE(store->flush());
  store->stop();
  path_ = other("moved.db");
  EXPECT_EQ(next_start(), R"({"n":1})");
}

TEST_F(StoreFileTest, AFolderThatIsGoneDegradesTheStoreUntilItIsBack) {
  std::filesystem::create_directory(other("in"));
  path_ = other("in/ticks.db");
  const auto store = started();
  std::filesystem::rename(other("in"), other("out"));
  publish(2);
  EXPECT_FALSE(store->flush());
  EXPECT_EQ(store->stats().state, StoreState::kDegraded);
  std::filesystem::create_directory(other("in"));
  EXPECT_TRUE(store->flush());
  EXPECT_EQ(store->stats().state, StoreState::kOk);
  store->stop();
  EXPECT_EQ(next_start(), R"({"n":2})");
}

TEST_F(StoreFileTest, AFileThatIsGoneFromAFullDiskIsWrittenAnewOnceThereIsRoom) {
  const auto store = started();
  std::filesystem::remove(path_);
  {
    const FullDisk full(1024);
    publish(2);
    EXPECT_FALSE(store->flush());
    EXPECT_FALSE(store->flush());
    EXPECT_EQ(store->stats().state, StoreState::kDegraded);
  }
  EXPECT_TRUE(store->flush());
  store->stop();
  EXPECT_EQ(next_start(), R"({"n":2})");
}

TEST_F(StoreFileTest, TheDeliveryThatAFeedDeclaredIsWrittenAnew) {
  Hub hub(clock_, {});
  ASSERT_TRUE(hub.add_rule({.pattern = "chat.>", .delivery = Delivery::kEvent}));
  const auto store = open_store();
  ASSERT_TRUE(store->start(hub, kNeverFlushMs));
  ASSERT_TRUE(hub.publish("chat.a", "{}"));
  ASSERT_TRUE(store->flush());
  std::filesystem::remove(path_);
  store->stop();
  EXPECT_EQ(sql("SELECT delivery FROM image"), std::vector<std::string>{"event"});
}

TEST_F(StoreFileTest, AStoredRingIsWrittenAnewAsAWhole) {
  Hub hub(clock_, {{.pattern = "chat.>", .delivery = Delivery::kEvent, .ring = 10, .stored = true}});
  const auto store = open_store();
  ASSERT_TRUE(store->start(hub, kNeverFlushMs));
  for (int i = 1; i <= 5; ++i) ASSERT_TRUE(hub.publish("chat.a", R"({"n":)" + std::to_string(i) + "}"));
  ASSERT_TRUE(store->flush());
  std::filesystem::remove(path_);
  store->stop();
  EXPECT_EQ(sql("SELECT seq FROM event ORDER BY seq"), (std::vector<std::string>{"1", "2", "3", "4", "5"}));
}

// --- replaced -------------------------------------------------------------------------------------------

TEST_F(StoreFileTest, AnotherFileInItsPlaceIsLeftAlone) {
  const std::vector<std::pair<std::string, std::function<void()>>> ways{
      {"moved onto it", [this] { std::filesystem::rename(other("new"), path_); }},
      {"deleted and made anew",
       [this] {
         std::filesystem::remove(path_);
         std::filesystem::rename(other("new"), path_);
       }},
      {"copied onto it", [this] { write_text(path_, text_of(other("new"))); }}};
  for (const auto& [way, harm] : ways) {
    path_ = other("backup.db");
    std::filesystem::remove(path_);
    fill(3);
    std::filesystem::rename(path_, other("new"));
    const std::string wanted = text_of(other("new"));
    path_ = other("ticks.db");
    std::filesystem::remove(path_);
    const auto store = started();
    harm();
    publish(2);
    const Status flushed = store->flush();
    ASSERT_FALSE(flushed) << way;
    EXPECT_NE(flushed.error().message.find("is left alone"), std::string::npos) << flushed.error().message;
    EXPECT_EQ(store->stats().state, StoreState::kDegraded) << way;
    EXPECT_FALSE(std::filesystem::exists(path_ + "-wal")) << "it must not be applied to the other file";
    EXPECT_FALSE(store->flush()) << way << ", still";
    store->stop();
    EXPECT_TRUE(text_of(path_) == wanted) << way;
    Hub hub(clock_, {});
    ASSERT_TRUE(open_store()->restore(hub)) << way;
    EXPECT_EQ(hub.topic_count(), 3U) << way;
  }
}

TEST_F(StoreFileTest, OnceTheOtherFileIsMovedAwayTheStoreIsWrittenAnew) {
  const auto store = started();
  write_text(other("new"), "precious");
  std::filesystem::rename(other("new"), path_);
  publish(2);
  ASSERT_FALSE(store->flush());
  std::filesystem::rename(path_, other("new"));
  ASSERT_TRUE(store->flush());
  EXPECT_EQ(store->stats().state, StoreState::kOk);
  store->stop();
  EXPECT_EQ(next_start(), R"({"n":2})");
  EXPECT_EQ(text_of(other("new")), "precious");
}

TEST_F(StoreFileTest, ATimeOfItsLastChangeThatSomebodySetIsNoOtherContent) {
  const auto store = started();
  publish(2);
  ASSERT_TRUE(store->flush());
  const auto touch = [this] {
    std::filesystem::last_write_time(path_, std::filesystem::file_time_type::clock::now());
  };
  touch();
  publish(3);
  EXPECT_TRUE(store->flush());
  EXPECT_EQ(store->stats().failures, 0U);
  touch();
  store->stop();
  EXPECT_EQ(next_start(), R"({"n":3})");
}

// Otherwise the updates of the lost run and those of the next one would have the same sequence numbers in one
// epoch.
TEST_F(StoreFileTest, WhatIsLeftOfARunWithoutItsLogBeginsANewEpoch) {
  started()->stop();
  const auto store = started();
  const std::string epoch = store->epoch();
  publish(2);
  ASSERT_TRUE(store->flush());
  write_text(other("copy"), text_of(path_));
  store->stop();
  ASSERT_EQ(open_store()->epoch(), epoch) << "a clean stop";
  std::filesystem::rename(other("copy"), path_);
  EXPECT_NE(open_store()->epoch(), epoch);
}

TEST_F(StoreFileTest, WhatThisProcessWritesItselfIsNoChangeOfOthers) {
  const auto store = started();
  for (int n = 2; n < 3000; ++n) {  // past a checkpoint of the log
    publish(n);
    ASSERT_TRUE(store->flush()) << n;
  }
  EXPECT_EQ(store->stats().failures, 0U);
}

}  // namespace
}  // namespace tickwire
