// Backups of a store, and their way back.
#include "store/store_copy.h"

#include <atomic>
#include <fstream>
#include <thread>

#include "store/backup_request.h"
#include "store_fixture.h"

namespace tickwire {
namespace {

class StoreCopy : public StoreTest {
 protected:
  [[nodiscard]] std::string other(const std::string& name) const { return (folder_ / name).string(); }
  std::vector<std::string> topics_of(std::string path) {
    const std::string before = std::exchange(path_, path);
    std::vector<std::string> topics = sql("SELECT topic FROM image ORDER BY topic");
    path_ = before;
    return topics;
  }
};

TEST_F(StoreCopy, ABackupOfAStoreThatNobodyHoldsIsOneFile) {
  fill(2);
  ASSERT_TRUE(backup_store(path_, other("copy.db")));
  EXPECT_EQ(topics_of(other("copy.db")), (std::vector<std::string>{"t.0", "t.1"}));
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder_))
    files.push_back(entry.path().filename());
  std::ranges::sort(files);
  EXPECT_EQ(files, (std::vector<std::string>{"copy.db", "ticks.db"}));
}

TEST_F(StoreCopy, ARunningStoreIsBackedUpWithWhatWasPublishedBefore) {
  Hub hub(clock_, {});
  const auto store = open_store();
  ASSERT_TRUE(store->start(hub, kNeverFlushMs));
  ASSERT_TRUE(hub.publish("t.0", "{}"));
  ASSERT_TRUE(store->backup(other("copy.db")));
  ASSERT_TRUE(hub.publish("t.1", "{}"));
  EXPECT_TRUE(store->flush()) << "the copy is no change of the file";
  EXPECT_EQ(topics_of(other("copy.db")), std::vector<std::string>{"t.0"});
}

TEST_F(StoreCopy, WhoeverStartsOnACopyBeginsANewEpoch) {
  const std::string epoch = fill(1);
  ASSERT_TRUE(backup_store(path_, other("copy.db")));
  path_ = other("copy.db");
  EXPECT_NE(open_store()->epoch(), epoch);
}

TEST_F(StoreCopy, ABackupOverwritesNothing) {
  fill(1);
  std::ofstream(other("there")) << "precious";
  const Status refused = backup_store(path_, other("there"));
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("is not overwritten"), std::string::npos) << refused.error().message;
  EXPECT_FALSE(backup_store(path_, path_));
  EXPECT_EQ(backup_store(other("none.db"), other("copy.db")).error().code, ErrorCode::kStoreMissing);
  EXPECT_FALSE(std::filesystem::exists(other("none.db")));
  EXPECT_FALSE(backup_store(path_, other("no/such/folder.db")));
}

TEST_F(StoreCopy, AServerMakesTheCopyThatSomebodyElseAsksFor) {
  Hub hub(clock_, {});
  const auto store = open_store();
  ASSERT_TRUE(store->start(hub, kNeverFlushMs));
  ASSERT_TRUE(hub.publish("t.0", "{}"));
  EXPECT_EQ(backup_store(path_, other("copy.db")).error().code, ErrorCode::kStoreLocked);
  {
    auto request = BackupRequest::make(path_);
    ASSERT_TRUE(request);
    EXPECT_TRUE(request->is_waiting());
    EXPECT_EQ(BackupRequest::make(path_).error().code, ErrorCode::kStoreLocked) << "one at a time";
    ASSERT_TRUE(store->flush());
    EXPECT_FALSE(request->is_waiting());
    ASSERT_TRUE(request->take(other("copy.db")));
  }
  EXPECT_EQ(topics_of(other("copy.db")), std::vector<std::string>{"t.0"});
  EXPECT_FALSE(std::filesystem::exists(path_ + ".backup-copy"));
}

TEST_F(StoreCopy, ARequestThatNobodyWaitsForAnyMoreIsRemoved) {
  Hub hub(clock_, {});
  const auto store = open_store();
  ASSERT_TRUE(store->start(hub, kNeverFlushMs));
  std::ofstream(path_ + ".backup-request") << "";
  ASSERT_TRUE(store->flush());
  EXPECT_FALSE(std::filesystem::exists(path_ + ".backup-request"));
  EXPECT_FALSE(std::filesystem::exists(path_ + ".backup-copy"));
}

TEST_F(StoreCopy, ARestorePutsTheCopyInPlaceAndKeepsWhatWasThere) {
  const std::string epoch = fill(1);
  ASSERT_TRUE(backup_store(path_, other("copy.db")));
  fill(3);
  const auto aside = restore_store(other("copy.db"), path_);
  ASSERT_TRUE(aside) << aside.error().message;
  EXPECT_EQ(topics_of(path_), std::vector<std::string>{"t.0"});
  EXPECT_EQ(topics_of(*aside).size(), 3U);
  EXPECT_NE(open_store()->epoch(), epoch) << "numbers after the backup must not mean two things";
  EXPECT_EQ(topics_of(other("copy.db")), std::vector<std::string>{"t.0"}) << "the copy can be used again";
}

TEST_F(StoreCopy, ARestoreWhereNoStoreIsMakesOne) {
  fill(1);
  const auto aside = restore_store(path_, other("new.db"));
  ASSERT_TRUE(aside) << aside.error().message;
  EXPECT_EQ(*aside, "");
  EXPECT_EQ(topics_of(other("new.db")), std::vector<std::string>{"t.0"});
}

TEST_F(StoreCopy, ARestoreUnderARunningServerIsRefused) {
  fill(1);
  ASSERT_TRUE(backup_store(path_, other("copy.db")));
  const auto store = open_store();
  EXPECT_EQ(restore_store(other("copy.db"), path_).error().code, ErrorCode::kStoreLocked);
}

TEST_F(StoreCopy, WhatIsNoStoreIsNotPutInAStoresPlace) {
  fill(1);
  const std::string epoch = open_store()->epoch();
  std::ofstream(other("text")) << "a text that is no database";
  EXPECT_EQ(restore_store(other("text"), path_).error().code, ErrorCode::kStoreForeign);
  std::ofstream(other("empty")) << "";
  EXPECT_EQ(restore_store(other("empty"), path_).error().code, ErrorCode::kStoreForeign);
  EXPECT_EQ(restore_store(other("none"), path_).error().code, ErrorCode::kStoreMissing);
  path_ = other("big.db");
  fill(2000);
  std::filesystem::resize_file(path_, std::filesystem::file_size(path_) / 2);
  EXPECT_EQ(restore_store(path_, other("ticks.db")).error().code, ErrorCode::kStoreDamaged);
  path_ = other("ticks.db");
  EXPECT_EQ(open_store()->epoch(), epoch) << "nothing changed";
}

}  // namespace
}  // namespace tickwire
