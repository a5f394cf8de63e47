#include "store/store_file.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <functional>
#include <system_error>
#include <utility>
#include <vector>

#include "store/schema.h"

namespace tickwire {

std::string_view describe(FileFinding finding) {
  constexpr std::array<std::string_view, 4> kWords{"is as it was", "is gone", "has lost its write-ahead log",
                                                   "was replaced or changed by another program and is left "
                                                   "alone; move it away, and the store is written anew, "
                                                   "or start again to go on with it"};
  return kWords.at(static_cast<std::size_t>(finding));
}

bool StoreFile::Stamp::same_file(const Stamp& other) const {
  return device == other.device && inode == other.inode;
}

bool StoreFile::Stamp::operator==(const Stamp& other) const {
  return same_file(other) && size == other.size && changed.tv_sec == other.changed.tv_sec &&
         changed.tv_nsec == other.changed.tv_nsec;
}

std::optional<StoreFile::Stamp> StoreFile::stamp_at(const std::string& path) {
  struct stat found{};
  if (::stat(path.c_str(), &found) != 0) return std::nullopt;
  return Stamp{found.st_dev, found.st_ino, found.st_size, found.st_mtim, S_ISREG(found.st_mode)};
}

std::optional<StoreFile::Stamp> StoreFile::stamp_of(int descriptor) {
  struct stat found{};
  if (::fstat(descriptor, &found) != 0) return std::nullopt;
  return Stamp{found.st_dev, found.st_ino, found.st_size, found.st_mtim, S_ISREG(found.st_mode)};
}

// --- open and close -------------------------------------------------------------------------------------

StoreFile::StoreFile(std::string path, FileLock path_lock)
    : path_(std::move(path)), path_lock_(std::move(path_lock)) {}

std::string StoreFile::lock_path(const std::string& path) {
  std::error_code failed;
  const auto absolute = std::filesystem::absolute(path, failed);
  const auto real = std::filesystem::weakly_canonical(absolute, failed);
  return (failed ? absolute : real).string() + ".lock";
}

std::string StoreFile::wal_path() const {
  return real_path_ + "-wal";
}

Result<StoreFile> StoreFile::hold(const std::string& path) {
  if (Status placed = Database::check_place(path); !placed) return placed.error();
  Result<FileLock> path_lock = lock_for(path);
  if (!path_lock) return path_lock.error();
  StoreFile file(path, std::move(*path_lock));
  if (!stamp_at(path)) return file;
  Result<FileLock> lock = FileLock::take(path);
  if (!lock) return lock.error();
  file.file_lock_ = std::move(*lock);
  return file;
}

bool StoreFile::is_held(const std::string& path) {
  return FileLock::is_taken(lock_path(path));
}

Result<StoreFile> StoreFile::open(const std::string& path) {
  Result<StoreFile> file = hold(path);
  if (!file) return file;
  if (Status attached = file->attach(false); !attached) return attached.error();
  return file;
}

// Locks the path. Error messages name the store.
Result<FileLock> StoreFile::lock_for(const std::string& path) {
  Result<FileLock> lock = FileLock::take(lock_path(path));
  if (lock) return lock;
  Error error = lock.error();
  if (error.code == ErrorCode::kStoreLocked) {
    error.message = fmt::format(
        "store.path: {} is in use by another process; stop that one, or choose another path", path);
  }
  return error;
}

Status StoreFile::attach(bool must_be_empty) {
  if (!file_lock_) {
    Result<FileLock> lock = FileLock::take(path_);
    if (!lock) return lock.error();
    file_lock_ = std::move(*lock);
  }
  if (must_be_empty && stamp_of(file_lock_->descriptor()).value_or(Stamp{}).size != 0) {
    file_lock_.reset();
    return Error{ErrorCode::kStoreIo,
                 fmt::format("store.path: {} {}", path_, describe(FileFinding::kReplaced)), "store.path"};
  }
  std::error_code failed;
  real_path_ = std::filesystem::canonical(path_, failed).string();
  Result<Database> database = Database::open(path_);
  if (!database) return database.error();
  if (Status ready = prepare_schema(*database); !ready) return ready;
  database_ = std::move(*database);
  note_written();
  return ok_status();
}

void StoreFile::close() {
  database_.reset();
  file_lock_.reset();
  if (!path_lock_) return;
  const std::string lock = lock_path(path_);
  if (path_lock_->is_at(lock)) ::unlink(lock.c_str());
  path_lock_.reset();
}

// --- watch ----------------------------------------------------------------------------------------------

void StoreFile::note_written() {
  if (!database_) return;
  const std::optional<Stamp> now = stamp_of(file_lock_->descriptor());
  if (now && now != file_) sample_ = sample(now->size);
  file_ = now;
  const std::optional<Stamp> wal = stamp_at(wal_path());
  // A log that is not ours any more must not become so.
  if (!wal_ || (wal && wal->same_file(*wal_))) wal_ = wal;
}

// Through the descriptor that is open already: closing another one of this file would take SQLite's locks
// away.
std::uint64_t StoreFile::sample(off_t size) const {
  constexpr off_t kSamples = 256;
  std::array<char, 4096> piece{};
  const off_t step = std::max<off_t>(size / kSamples, static_cast<off_t>(piece.size()));
  std::uint64_t sum = 0;
  for (off_t at = 0; at < size; at += step) {
    const ssize_t count = ::pread(file_lock_->descriptor(), piece.data(), piece.size(), at);
    if (count <= 0) break;
    const std::string_view bytes(piece.data(), static_cast<std::size_t>(count));
    sum = sum * 31 + std::hash<std::string_view>{}(bytes);
  }
  return sum;
}

bool StoreFile::is_as_left(const std::optional<Stamp>& now) {
  if (!now || !file_) return false;
  if (*now == *file_) return true;
  if (!now->same_file(*file_) || now->size != file_->size || sample(now->size) != sample_) return false;
  file_ = now;
  return true;
}

FileFinding StoreFile::look() {
  const std::optional<Stamp> there = stamp_at(path_);
  if (!there || (there->is_file && there->size == 0)) return FileFinding::kGone;
  if (!database_ || !is_as_left(there)) return FileFinding::kReplaced;
  if (wal_ && stamp_at(wal_path()) != wal_) return FileFinding::kWalDamaged;
  return FileFinding::kSound;
}

void StoreFile::retire() {
  if (!database_) return;
  const std::optional<Stamp> wal = stamp_at(wal_path());
  const bool is_our_wal = wal && wal_ && wal->same_file(*wal_);
  const bool intact = is_as_left(stamp_of(file_lock_->descriptor())) && (!is_our_wal || *wal == *wal_);
  database_->abandon(intact);
  if (is_our_wal) ::unlink(wal_path().c_str());
  database_.reset();
  file_lock_.reset();
  file_.reset();
  wal_.reset();
}

Status StoreFile::renew(FileFinding found) {
  retire();
  if (Status locked = keep_lock(); !locked) return locked;
  if (found == FileFinding::kWalDamaged) {
    const Result<std::string> aside = set_aside(path_, "damaged");
    if (!aside) return aside.error();
  }
  if (Status placed = Database::check_place(path_); !placed) return placed;
  Status attached = attach(true);
  if (!attached && file_lock_) {
    // A part of a store, made on a full disk, would be taken for another program's file the next time.
    for (const char* part : {"", "-wal", "-journal"}) ::unlink((real_path_ + part).c_str());
    file_lock_.reset();
  }
  return attached;
}

Status StoreFile::keep_lock() {
  if (path_lock_ && path_lock_->is_at(lock_path(path_))) return ok_status();
  Result<FileLock> lock = lock_for(path_);
  if (!lock) return lock.error();
  path_lock_ = std::move(*lock);
  return ok_status();
}

Result<std::string> StoreFile::set_aside(const std::string& path, std::string_view word) {
  const std::string moved =
      fmt::format("{}.{}-{:%Y%m%d-%H%M%S}-{}", path, word, fmt::gmtime(std::time(nullptr)), ::getpid());
  std::error_code failed;
  std::vector<std::string> done;
  for (const std::string part : {"", "-wal", "-shm"}) {
    const std::string from = path + part;
    if (!std::filesystem::exists(from, failed)) continue;
    std::filesystem::rename(from, moved + part, failed);
    if (failed) {
      std::error_code ignored;
      for (const std::string& back : done) std::filesystem::rename(moved + back, path + back, ignored);
      return Error{ErrorCode::kStoreIo,
                   fmt::format("{} cannot be set aside as {}: {}", from, moved, failed.message()), ""};
    }
    done.push_back(part);
  }
  return moved;
}

}  // namespace tickwire
