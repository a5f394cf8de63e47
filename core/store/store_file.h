// StoreFile: the SQLite file behind a path, held by this process alone, and watched: other programs may
// delete, move, replace or overwrite it while it is open, and SQLite does not notice.
//
//   open ──> kSound ──────────────> close
//              │ look()
//              ├─ kGone ──────────> renew() ──> kSound, empty: the path leads nowhere, or to nothing
//              ├─ kWalDamaged ────> renew() ──> kSound, empty: what is left was set aside
//              └─ kReplaced ──────> retire(): another file is there, or somebody wrote to ours. It is left
//              alone,
//                                   until it is moved away: then kGone
//
// Two locks (file_lock.h) are held from open to close: one of `<path>.lock`, beside the file that the path
// leads to after symbolic links, and one of the file itself, which hard links share. One thread at a time.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "store/file_lock.h"
#include "store/sqlite.h"

namespace tickwire {

enum class FileFinding : std::uint8_t { kSound, kGone, kWalDamaged, kReplaced };
// For a person: "is gone".
std::string_view describe(FileFinding finding);

class StoreFile {
 public:
  ~StoreFile() { close(); }
  StoreFile(StoreFile&&) = default;
  StoreFile& operator=(StoreFile&&) = delete;
  StoreFile(const StoreFile&) = delete;
  StoreFile& operator=(const StoreFile&) = delete;

  // Opens or makes the file and its schema. What Database::open and prepare_schema return. `path` is not
  // empty.
  static Result<StoreFile> open(const std::string& path);
  // Takes the locks of a path and opens nothing, so that another file can be put there. kStoreMissing (the
  // folder), kStoreLocked, kStoreIo.
  static Result<StoreFile> hold(const std::string& path);

  // Whether some process holds the store at `path` now.
  static bool is_held(const std::string& path);

  // Only while it is open, that is not after retire(), a renew() that failed, or close().
  Database& database() { return *database_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  // Absolute, after symbolic links.
  [[nodiscard]] const std::string& real_path() const { return real_path_; }

  // Compares the file with what it was when this process last wrote to it. Some calls of stat(2); where only
  // the time of its last change is another (touch(1), a backup program), a sample of its content as well.
  [[nodiscard]] FileFinding look();
  // After each time that this process wrote, or tried to.
  void note_written();
  // Lets go of a file that is not behind the path any more, or is not as we left it. Completes the file,
  // where it only was moved, and removes our write-ahead log, which must never be applied to another file.
  void retire();
  // Makes an empty store at the path in place of what look() found. What open() returns.
  Status renew(FileFinding found);
  // Makes sure that this process still holds the lock beside the path. kStoreLocked, kStoreIo.
  Status keep_lock();
  // Idempotent; the destructor's work.
  void close();

  // Moves a store and what belongs to it to `<path>.<word>-<time>-<pid>`; its new name. Not while it is open.
  // kStoreIo.
  static Result<std::string> set_aside(const std::string& path, std::string_view word);

 private:
  struct Stamp {
    dev_t device = 0;
    ino_t inode = 0;
    off_t size = 0;
    timespec changed{};
    bool is_file = false;  // and no FIFO, device or folder
    [[nodiscard]] bool same_file(const Stamp& other) const;
    [[nodiscard]] bool operator==(const Stamp& other) const;
  };
  StoreFile(std::string path, FileLock path_lock);
  static std::optional<Stamp> stamp_at(const std::string& path);
  static std::optional<Stamp> stamp_of(int descriptor);
  // Hashes up to kSamples pieces of our file, which is the whole of one up to a megabyte.
  [[nodiscard]] std::uint64_t sample(off_t size) const;
  // Whether `now` is our file as this process left it.
  bool is_as_left(const std::optional<Stamp>& now);
  static std::string lock_path(const std::string& path);
  static Result<FileLock> lock_for(const std::string& path);
  Status attach(bool must_be_empty);
  [[nodiscard]] std::string wal_path() const;

  std::string path_;  // as the configuration names it
  std::string real_path_;
  std::optional<FileLock> path_lock_;
  std::optional<FileLock> file_lock_;  // before database_: closing a descriptor takes SQLite's locks away
  std::optional<Database> database_;
  std::optional<Stamp> file_;  // as this process left them
  std::uint64_t sample_ = 0;   // of that file
  std::optional<Stamp> wal_;   // nothing: there was none
};

}  // namespace tickwire
