#include "store/store_copy.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/file_kind.h"
#include "store/file_lock.h"
#include "store/schema.h"
#include "store/store.h"

namespace tickwire {
namespace {

Error failed(const std::string& path, std::string_view what, int number) {
  return {ErrorCode::kStoreIo,
          fmt::format("{}: {} ({})", path, what, std::generic_category().message(number)), ""};
}

// Some file systems sync no folders (EINVAL).
Status sync(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = descriptor >= 0 && (::fsync(descriptor) == 0 || errno == EINVAL);
  const int number = errno;
  if (descriptor >= 0) ::close(descriptor);
  return synced ? ok_status() : failed(path, "cannot be written to the disk", number);
}

std::string folder_of(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::absolute(path, ignored).parent_path().string();
}

// Whether a new file can be made at `target`, before anything is done for it.
Status check_new(const std::string& target) {
  std::error_code ignored;
  if (std::filesystem::exists(std::filesystem::symlink_status(target, ignored))) {
    return failed(target, "is not overwritten; choose a new name", EEXIST);
  }
  const std::string folder = folder_of(target);
  if (!std::filesystem::is_directory(folder, ignored)) {
    return failed(target, fmt::format("the folder {} does not exist; create it", folder), ENOENT);
  }
  if (::access(folder.c_str(), R_OK | W_OK | X_OK) != 0) {
    return failed(target, fmt::format("the folder {} may not be read and written by this user", folder),
                  errno);
  }
  return ok_status();
}

void remove_database(const std::string& path) {
  for (const char* part : {"", "-wal", "-shm", "-journal"}) ::unlink((path + part).c_str());
}

Status write_copy(Database& store, const std::string& part) {
  Result<Database> copy = Database::open(part);
  if (!copy) return copy.error();
  if (Status copied = store.copy_to(*copy); !copied) return copied;
  // One file, without a log beside it; the next start takes up the log again.
  return copy->exec("PRAGMA journal_mode=DELETE; UPDATE meta SET value='0' WHERE key='clean'");
}

Status check_whole(Database& store) {
  if (Status ours = check_schema(store); !ours) return ours;
  const Result<std::int64_t> whole =
      store.query_integer("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check='ok'");
  if (!whole) return whole.error();
  if (*whole != 1) return store.error(ErrorCode::kStoreDamaged, "is damaged; take another copy");
  return ok_status();
}

}  // namespace

Status copy_store(Database& store, const std::string& target) {
  if (Status free = check_new(target); !free) return free;
  const std::string part = fmt::format("{}.part-{}", target, ::getpid());
  remove_database(part);  // of a process that was killed and had the same number
  Status done = write_copy(store, part);
  if (done) done = sync(part);
  // A link, unlike a rename, never takes the place of another file.
  if (done && ::link(part.c_str(), target.c_str()) != 0) done = failed(target, "cannot be made", errno);
  remove_database(part);
  if (!done) return done;
  done = sync(folder_of(target));
  if (!done) ::unlink(target.c_str());
  return done;
}

Status copy_file(const std::string& copy, const std::string& target) {
  Result<Database> source = Database::open_to_read(copy);
  return source ? copy_store(*source, target) : source.error();
}

Status backup_store(const std::string& path, const std::string& target) {
  // First, since a server that holds the store may be asked next, and opening a store writes to it.
  if (Status free = check_new(target); !free) return free;
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    return Error{ErrorCode::kStoreMissing, fmt::format("store.path: {} does not exist", path), "store.path"};
  }
  Result<std::unique_ptr<Store>> store = Store::open(path);
  return store ? (*store)->backup(target) : store.error();
}

Result<std::string> restore_store(const std::string& backup, const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(backup, ignored)) {
    const auto kind = other_than_file(backup);
    return Error{ErrorCode::kStoreMissing,
                 kind ? fmt::format("{}: is {}, not a copy that backup made", backup, *kind)
                      : fmt::format("{}: there is no such file", backup),
                 ""};
  }
  if (FileLock::is_taken(backup)) {
    return Error{ErrorCode::kStoreLocked,
                 fmt::format("{}: is in use by another process; make a copy of it by store backup", backup),
                 ""};
  }
  Result<StoreFile> held = StoreFile::hold(path);
  if (!held) return held.error();
  Result<Database> source = Database::open_to_read(backup);
  if (!source) return source.error();
  if (Status whole = check_whole(*source); !whole) return whole.error();
  const std::string fresh = fmt::format("{}.restored-{}", path, ::getpid());
  if (Status copied = copy_store(*source, fresh); !copied) return copied.error();
  std::string aside;
  // A log without its file would be applied to the copy.
  if (std::filesystem::exists(path, ignored) || std::filesystem::exists(path + "-wal", ignored)) {
    Result<std::string> moved = StoreFile::set_aside(path, "replaced");
    if (!moved) {
      remove_database(fresh);
      return moved.error();
    }
    aside = std::move(*moved);
  }
  if (std::rename(fresh.c_str(), path.c_str()) != 0) {
    const int number = errno;
    remove_database(fresh);
    for (const char* part : {"", "-wal", "-shm"}) {
      if (!aside.empty()) std::rename((aside + part).c_str(), (path + part).c_str());
    }
    return failed(path, "cannot be put in its place", number);
  }
  return aside;
}

}  // namespace tickwire
