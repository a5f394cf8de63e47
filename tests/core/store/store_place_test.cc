// What lies where a store, its lock or a copy must go: FIFOs, sockets, folders and devices are refused by
// name, without waiting, and what was refused leaves no file behind.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <fstream>

#include "store/backup_request.h"
#include "store/store_copy.h"
#include "store_fixture.h"

namespace tickwire {
namespace {

class StorePlace : public StoreTest {
 protected:
  [[nodiscard]] std::string other(const std::string& name) const { return (folder_ / name).string(); }

  static void make_fifo(const std::string& path) { ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0) << path; }
  static void make_socket(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    const int made = ::socket(AF_UNIX, SOCK_STREAM, 0);
    EXPECT_EQ(::bind(made, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    ::close(made);
  }
  [[nodiscard]] std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
      names.push_back(entry.path().filename());
    }
    std::ranges::sort(names);
    return names;
  }
  // `error` names `path` and says that it is `kind`.
  static void expect_says(const Error& error, const std::string& path, const std::string& kind) {
    EXPECT_NE(error.message.find(path + " is " + kind), std::string::npos) << error.message;
    EXPECT_EQ(error.code, ErrorCode::kStoreIo);
  }
};

TEST_F(StorePlace, WhatIsNoFileIsRefusedByNameAndKind) {
  make_fifo(other("fifo"));
  make_socket(other("socket"));
  std::filesystem::create_directory(other("folder"));
  std::filesystem::create_symlink("fifo", other("link"));
  const auto before = files();
  const std::vector<std::pair<std::string, std::string>> kinds{{other("fifo"), "a FIFO"},
                                                               {other("socket"), "a socket"},
                                                               {other("folder"), "a folder"},
                                                               {other("link"), "a FIFO"},
                                                               {"/dev/null", "a device"}};
  for (const auto& [path, kind] : kinds) {
    const auto store = Store::open(path);
    ASSERT_FALSE(store) << path;
    expect_says(store.error(), path, kind);
  }
  EXPECT_EQ(files(), before) << "no lock, no log is left";
}

TEST_F(StorePlace, WhatLiesBesideTheStoreIsRefusedToo) {
  for (const char* part : {"-wal", "-journal", ".lock"}) {
    make_fifo(path_ + part);
    const auto store = Store::open(path_);
    ASSERT_FALSE(store) << part;
    expect_says(store.error(), path_ + part, "a FIFO");
    std::filesystem::remove(path_ + part);
  }
  fill(1);
}

TEST_F(StorePlace, AFifoThatTakesTheFilesPlaceIsLeftAlone) {
  Hub hub(clock_, {});
  const auto store = open_store();
  ASSERT_TRUE(store->start(hub, kNeverFlushMs));
  ASSERT_TRUE(hub.publish("t.0", "{}"));
  ASSERT_TRUE(store->flush());
  std::filesystem::rename(path_, other("moved.db"));
  make_fifo(path_);
  EXPECT_FALSE(store->flush());
  EXPECT_TRUE(std::filesystem::is_fifo(path_));
  std::filesystem::remove(path_);
  EXPECT_TRUE(store->flush()) << "written anew, once the place is free";
}

TEST_F(StorePlace, ACopyIsNeitherMadeOverNorReadFromAFifo) {
  fill(1);
  make_fifo(other("fifo"));
  EXPECT_NE(backup_store(path_, other("fifo")).error().message.find("is not overwritten"), std::string::npos);
  const auto restored = restore_store(other("fifo"), path_);
  ASSERT_FALSE(restored);
  EXPECT_NE(restored.error().message.find("is a FIFO"), std::string::npos) << restored.error().message;
  EXPECT_FALSE(restore_store(path_, other("fifo")));
  EXPECT_EQ(files(), (std::vector<std::string>{"fifo", "ticks.db"}));
}

TEST_F(StorePlace, ARefusedBackupLeavesNothingAndDoesNotOpenTheStore) {
  fill(1);
  std::ofstream(other("there")) << "precious";
  const auto before = files();
  const auto written = std::filesystem::last_write_time(path_);
  for (const std::string& target : {other("there"), other("no/such/folder.db"), path_}) {
    EXPECT_FALSE(backup_store(path_, target)) << target;
  }
  EXPECT_EQ(files(), before);
  EXPECT_EQ(std::filesystem::last_write_time(path_), written);
}

TEST_F(StorePlace, ABackupOntoAFullDiskLeavesNothing) {
  fill(2000);
  const auto before = files();
  const int ended = in_dying_process([&] {
    const FullDisk full(4096);
    EXPECT_FALSE(backup_store(path_, other("copy.db")));
  });
  EXPECT_EQ(ended, 0);
  EXPECT_EQ(files(), before);
}

TEST_F(StorePlace, ARefusedRestoreLeavesNothing) {
  fill(2000);
  ASSERT_TRUE(backup_store(path_, other("copy.db")));
  std::ofstream(other("text")) << "a text that is no database";
  std::filesystem::copy_file(path_, other("half.db"));
  std::filesystem::resize_file(other("half.db"), std::filesystem::file_size(path_) / 2);
  const auto before = files();
  for (const std::string& backup : {other("text"), other("half.db"), other("none")}) {
    EXPECT_FALSE(restore_store(backup, path_)) << backup;
    EXPECT_FALSE(restore_store(backup, other("new.db"))) << backup;
  }
  const int ended = in_dying_process([&] {
    const FullDisk full(4096);
    EXPECT_FALSE(restore_store(other("copy.db"), path_));
  });
  EXPECT_EQ(ended, 0);
  EXPECT_EQ(files(), before);
}

TEST_F(StorePlace, ARestoreLeavesNothingBesideTheCopy) {
  fill(1);  // its mode is still that of a write-ahead log
  std::filesystem::copy_file(path_, other("copy #1?%41.db"));
  ASSERT_TRUE(restore_store(other("copy #1?%41.db"), other("new.db")));
  EXPECT_EQ(files(), (std::vector<std::string>{"copy #1?%41.db", "new.db", "ticks.db"}));
}

TEST_F(StorePlace, AStoreThatAServerHoldsIsNoCopyToRestore) {
  fill(1);
  const auto store = open_store();
  const auto restored = restore_store(path_, other("new.db"));
  ASSERT_FALSE(restored);
  EXPECT_EQ(restored.error().code, ErrorCode::kStoreLocked);
}

TEST_F(StorePlace, AServerThatCannotCopyLeavesNoOlderCopyToTake) {
  Hub hub(clock_, {});
  const auto store = open_store();
  ASSERT_TRUE(store->start(hub, kNeverFlushMs));
  std::ofstream(path_ + ".backup-copy") << "of somebody who was killed";
  const auto request = BackupRequest::make(path_);
  ASSERT_TRUE(request);
  refuse_backup_request(path_);
  EXPECT_FALSE(BackupRequest::make(path_)->take(other("copy.db")));
  EXPECT_FALSE(std::filesystem::exists(other("copy.db")));
}

TEST_F(StorePlace, AnAskerThatGoesAwayLeavesNoCopy) {
  Hub hub(clock_, {});
  const auto store = open_store();
  ASSERT_TRUE(store->start(hub, kNeverFlushMs));
  {
    const auto request = BackupRequest::make(path_);
    ASSERT_TRUE(request);
    ASSERT_TRUE(store->flush());
    EXPECT_TRUE(std::filesystem::exists(path_ + ".backup-copy"));
  }
  EXPECT_FALSE(std::filesystem::exists(path_ + ".backup-copy"));
}

TEST_F(StorePlace, AStartRemovesTheCopiesOfThoseThatWereKilled) {
  fill(1);
  for (const char* rest : {".backup-copy", ".backup-copy.part-1", ".backup-copy.part-1-journal"}) {
    std::ofstream(path_ + rest) << "part";
  }
  fill(1);
  EXPECT_EQ(files(), std::vector<std::string>{"ticks.db"});
}

}  // namespace
}  // namespace tickwire
