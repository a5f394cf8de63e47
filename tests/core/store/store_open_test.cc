// A file that cannot be the store: each reason has its own code, says what to do, and leaves the file alone.
#include <fstream>
#include <iterator>

#include "store/schema.h"
#include "store_fixture.h"

namespace tickwire {
namespace {

class StoreOpen : public StoreTest {
 protected:
  // The error of opening and restoring, with the path in its message.
  Error refused() {
    Hub hub(clock_, {});
    Revocations revocations;
    auto store = Store::open(path_);
    Status restored = store ? (*store)->keep_revocations(revocations, clock_) : store.error();
    if (restored) restored = (*store)->restore(hub);
    if (restored) {
      ADD_FAILURE() << "was not refused";
      return {};
    }
    EXPECT_NE(restored.error().message.find(path_), std::string::npos) << restored.error().message;
    EXPECT_EQ(restored.error().field, "store.path");
    return restored.error();
  }

  void write(const std::string& bytes) { std::ofstream(path_, std::ios::binary) << bytes; }
  std::string bytes() {
    std::ifstream file(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  // Overwrites `size` bytes of the file from `offset`.
  void scribble(std::streamoff offset, std::size_t size, char with) {
    std::fstream file(path_, std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(offset);
    file << std::string(size, with);
  }
};

TEST_F(StoreOpen, AMissingFolderIsSaidAndNotMade) {
  path_ = (folder_ / "no" / "such" / "ticks.db").string();
  const Error error = refused();
  EXPECT_EQ(error.code, ErrorCode::kStoreMissing);
  EXPECT_NE(error.message.find("the folder " + (folder_ / "no" / "such").string() + " does not exist"),
            std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "no"));
}

TEST_F(StoreOpen, AFileInPlaceOfTheFolderIsAMissingFolder) {
  write("a file");
  path_ += "/ticks.db";
  EXPECT_EQ(refused().code, ErrorCode::kStoreMissing);
}

TEST_F(StoreOpen, AFolderInPlaceOfTheFile) {
  std::filesystem::create_directory(path_);
  const Error error = refused();
  EXPECT_EQ(error.code, ErrorCode::kStoreIo);
  EXPECT_NE(error.message.find("is a folder"), std::string::npos);
}

TEST_F(StoreOpen, AnotherProcessHoldsItAndItIsSaidWithoutWaiting) {
  int ready[2];
  int release[2];
  ASSERT_EQ(::pipe(ready), 0);
  ASSERT_EQ(::pipe(release), 0);
  const pid_t holder = ::fork();
  if (holder == 0) {
    const auto store = open_store();
    char byte = 'x';
    if (::write(ready[1], &byte, 1) != 1 || ::read(release[0], &byte, 1) != 1) ::_exit(1);
    ::_exit(0);
  }
  char byte = 'x';
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  EXPECT_EQ(refused().code, ErrorCode::kStoreLocked) << "while the other one goes on holding it";
  ASSERT_EQ(::write(release[1], &byte, 1), 1);
  int status = 0;
  ::waitpid(holder, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(Store::open(path_)) << "free again after its holder is gone";
}

TEST_F(StoreOpen, TheSameProcessHoldsItOnlyOnce) {
  const auto store = open_store();
  EXPECT_EQ(refused().code, ErrorCode::kStoreLocked);
  EXPECT_EQ(in_dying_process([this] { EXPECT_EQ(refused().code, ErrorCode::kStoreLocked); }), 0)
      << "the failed attempt let go of the first one's lock";
}

TEST_F(StoreOpen, ASqliteFileOfAnotherProgramStaysAsItWas) {
  sql("PRAGMA application_id=7; CREATE TABLE t(x)");
  const std::string before = bytes();
  const Error error = refused();
  EXPECT_EQ(error.code, ErrorCode::kStoreForeign);
  EXPECT_NE(error.message.find("application_id 7"), std::string::npos);
  EXPECT_TRUE(bytes() == before) << "the file was changed";
}

TEST_F(StoreOpen, ASqliteFileWithoutAnOwnerButWithTablesIsForeign) {
  sql("CREATE TABLE precious(x); INSERT INTO precious VALUES(1)");
  const std::string before = bytes();
  EXPECT_EQ(refused().code, ErrorCode::kStoreForeign);
  EXPECT_TRUE(bytes() == before) << "the file was changed";
}

TEST_F(StoreOpen, AFileThatIsNoDatabaseIsForeignAndStaysAsItWas) {
  for (const std::string& text : {std::string("xy"), std::string("[server]\nlisten = \"127.0.0.1:1\"\n"),
                                  std::string(100'000, 'y'), std::string(4096, '\0')}) {
    write(text);
    EXPECT_EQ(refused().code, ErrorCode::kStoreForeign);
    EXPECT_TRUE(bytes() == text) << "the file was changed";
  }
}

TEST_F(StoreOpen, AnEmptyFileBecomesAStore) {
  write("");
  fill(1);
  EXPECT_EQ(sql("PRAGMA application_id"), std::vector<std::string>{std::to_string(kStoreApplicationId)});
  EXPECT_EQ(sql("PRAGMA user_version"), std::vector<std::string>{std::to_string(kStoreSchemaVersion)});
  EXPECT_EQ(sql("PRAGMA journal_mode"), std::vector<std::string>{"wal"});
  EXPECT_EQ(sql("SELECT count(*) FROM pragma_table_list WHERE schema='main' AND name IN ('meta','image') AND "
                "wr AND strict"),
            std::vector<std::string>{"2"});
}

TEST_F(StoreOpen, ANewerSchemaIsRefusedAndStaysAsItWas) {
  fill(10);
  sql("PRAGMA user_version=" + std::to_string(kStoreSchemaVersion + 1));
  const std::string before = bytes();
  const Error error = refused();
  EXPECT_EQ(error.code, ErrorCode::kStoreNewer);
  EXPECT_NE(error.message.find("schema " + std::to_string(kStoreSchemaVersion + 1)), std::string::npos);
  EXPECT_TRUE(bytes() == before) << "the file was changed";
}

TEST_F(StoreOpen, AFileOfTheSchemaBeforeIsBroughtUpToDate) {
  fill(2);
  sql("ALTER TABLE image DROP COLUMN halt; ALTER TABLE image DROP COLUMN halt_until;"
      "DROP TABLE revocation; ALTER TABLE image DROP COLUMN delivery; PRAGMA user_version=2");
  Hub hub(clock_, {});
  const auto store = open_store();
  ASSERT_TRUE(store->restore(hub));
  EXPECT_EQ(hub.find_topic("t.1")->delivery(), Delivery::kValue);
  ASSERT_TRUE(store->start(hub, kNeverFlushMs));
  ASSERT_TRUE(hub.add_rule({.pattern = "t.*", .delivery = Delivery::kEvent}));
  ASSERT_TRUE(hub.publish("t.1", "{}"));
  store->stop();
  EXPECT_EQ(sql("PRAGMA user_version"), std::vector<std::string>{std::to_string(kStoreSchemaVersion)});
  EXPECT_EQ(sql("SELECT delivery FROM image ORDER BY topic"), (std::vector<std::string>{"", "event"}));
}

TEST_F(StoreOpen, ARowOfAnUnknownDeliveryIsDamageAndNamesItsTopic) {
  fill(2);
  sql("UPDATE image SET delivery='x' WHERE topic='t.1'");
  Hub hub(clock_, {});
  const Status restored = open_store()->restore(hub);
  ASSERT_FALSE(restored);
  EXPECT_EQ(restored.error().code, ErrorCode::kStoreDamaged);
  EXPECT_NE(restored.error().message.find("t.1"), std::string::npos);
}

TEST_F(StoreOpen, ATruncatedFileIsDamaged) {
  fill(1000);
  std::filesystem::resize_file(path_, std::filesystem::file_size(path_) / 2);
  EXPECT_EQ(refused().code, ErrorCode::kStoreDamaged);
}

TEST_F(StoreOpen, ABrokenHeaderIsDamagedNotForeign) {
  fill(10);
  scribble(16, 2, '\x03');  // the page size
  EXPECT_EQ(refused().code, ErrorCode::kStoreDamaged);
}

TEST_F(StoreOpen, EveryOverwrittenPageIsDamage) {
  fill(200);
  const std::string sound = bytes();
  const std::streamoff page = 4096;
  for (std::streamoff at = page; at < static_cast<std::streamoff>(sound.size()); at += page) {
    for (const char with : {'\0', '\xff'}) {
      write(sound);
      scribble(at, static_cast<std::size_t>(page), with);
      EXPECT_EQ(refused().code, ErrorCode::kStoreDamaged) << "page " << at / page + 1;
    }
  }
}

TEST_F(StoreOpen, ARowThatIsNoImageIsDamageAndNamesItsTopic) {
  for (const char* change : {"image='{\"a\":'", "status='dead'", "topic='no topic!'"}) {
    path_ = (folder_ / "row.db").string();
    std::filesystem::remove(path_);
    fill(3);
    sql(std::string("UPDATE image SET ") + change + " WHERE topic='t.1'");
    const Error error = refused();
    EXPECT_EQ(error.code, ErrorCode::kStoreDamaged) << change;
    EXPECT_NE(error.message.find("row of topic \""), std::string::npos) << error.message;
  }
}

TEST_F(StoreOpen, ARefusedDamagedFileIsNotWrittenTo) {
  fill(200);
  scribble(2 * 4096, 4096, '\0');
  const std::string before = bytes();
  EXPECT_EQ(refused().code, ErrorCode::kStoreDamaged);
  EXPECT_TRUE(bytes() == before) << "the file was changed";
}

TEST_F(StoreOpen, NamesThatSqliteTakesForSomethingElseAreFiles) {
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(folder_);
  for (const char* name : {":memory:", "file:x?mode=memory", "relative.db"}) {
    path_ = name;
    fill(1);
    EXPECT_TRUE(std::filesystem::exists(folder_ / name)) << name;
  }
  std::filesystem::current_path(before);
}

}  // namespace
}  // namespace tickwire
