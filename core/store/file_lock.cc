#include "store/file_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <system_error>

#include "base/file_kind.h"

namespace tickwire {
namespace {

// What a child made by fork() closes. Atomics in a fixed place: between fork() and exec() a child of a
// program with threads may not take a lock.
std::array<std::atomic<int>, 64> held{};  // descriptor + 1; 0: a free place

void close_in_child() {
  for (std::atomic<int>& place : held) {
    if (const int descriptor = place.exchange(0) - 1; descriptor >= 0) ::close(descriptor);
  }
}

void remember(int descriptor) {
  static const int kRegistered = ::pthread_atfork(nullptr, nullptr, close_in_child);
  static_cast<void>(kRegistered);
  for (std::atomic<int>& place : held) {
    int free = 0;
    if (place.compare_exchange_strong(free, descriptor + 1)) return;
  }
}

void forget(int descriptor) {
  for (std::atomic<int>& place : held) {
    int mine = descriptor + 1;
    if (place.compare_exchange_strong(mine, 0)) return;
  }
}

// For writing if it may be: an overlay file system then locks the file that others will open, too. Never
// waits: a FIFO may have come since its path was looked at.
int open_file(const std::string& path, int make) {
  constexpr int kFlags = O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
  constexpr mode_t kMode = 0644;  // what SQLite gives its files
  const int descriptor = ::open(path.c_str(), O_RDWR | make | kFlags, kMode);
  if (descriptor >= 0 || (errno != EACCES && errno != EROFS)) return descriptor;
  return ::open(path.c_str(), O_RDONLY | kFlags);
}

Error failed(const std::string& path) {
  return {ErrorCode::kStoreIo,
          fmt::format("store.path: {} cannot be used ({})", path, std::generic_category().message(errno)),
          "store.path"};
}

}  // namespace

Result<FileLock> FileLock::take(const std::string& path) {
  while (true) {
    if (const auto kind = other_than_file(path)) {
      return Error{
          ErrorCode::kStoreIo,
          fmt::format("store.path: {} is {}, where a file must be; move it away, or choose another path",
                      path, *kind),
          "store.path"};
    }
    const int descriptor = open_file(path, O_CREAT);
    if (descriptor < 0) return failed(path);
    FileLock lock(descriptor);
    remember(descriptor);
    if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) return failed(path);
      return Error{
          ErrorCode::kStoreLocked,
          fmt::format("store.path: {} is in use by another process; stop that one, or choose another "
                      "path",
                      path),
          "store.path"};
    }
    // Whoever held it before may have removed the file while we opened it.
    if (lock.is_at(path)) return lock;
  }
}

bool FileLock::is_taken(const std::string& path) {
  if (other_than_file(path)) return false;
  const FileLock lock(open_file(path, 0));
  return lock.descriptor_ >= 0 && ::flock(lock.descriptor_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  if (this != &other) {
    release();
    descriptor_ = std::exchange(other.descriptor_, -1);
  }
  return *this;
}

bool FileLock::is_at(const std::string& path) const {
  struct stat ours{};
  struct stat there{};
  return ::fstat(descriptor_, &ours) == 0 && ::stat(path.c_str(), &there) == 0 &&
         ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

void FileLock::release() {
  if (descriptor_ < 0) return;
  forget(descriptor_);
  ::close(std::exchange(descriptor_, -1));
}

}  // namespace tickwire
