#include "store/backup_request.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <system_error>
#include <thread>
#include <utility>

#include "store/store_copy.h"

namespace tickwire {
namespace {

constexpr int kTries = 10;
constexpr std::chrono::milliseconds kPause{20};

std::string request_path(const std::string& store) {
  return store + ".backup-request";
}

std::string copy_path(const std::string& store) {
  return store + ".backup-copy";
}

// Whether `path` is a request, the one of `asked`, that somebody waits for.
bool somebody_waits(const std::string& path, const struct stat& asked) {
  struct stat found{};
  return ::lstat(path.c_str(), &found) == 0 && found.st_dev == asked.st_dev && found.st_ino == asked.st_ino &&
         S_ISREG(found.st_mode) && FileLock::is_taken(path);
}

}  // namespace

BackupRequest::BackupRequest(std::string store, FileLock lock)
    : store_(std::move(store)), lock_(std::move(lock)) {}

Result<BackupRequest> BackupRequest::make(const std::string& path) {
  std::error_code failed;
  std::string store = std::filesystem::canonical(path, failed).string();
  if (failed) return Error{ErrorCode::kStoreIo, fmt::format("{}: {}", path, failed.message()), "store.path"};
  // A server that looks between the making of the file and its locking takes it for left over.
  Result<FileLock> lock = FileLock::take(request_path(store));
  for (int again = 0; !lock && lock.error().code == ErrorCode::kStoreLocked && again < kTries; ++again) {
    std::this_thread::sleep_for(kPause);
    lock = FileLock::take(request_path(store));
  }
  if (lock) {
    // What somebody who was killed left is an old copy; a server that makes none must not seem to have made
    // it.
    ::unlink(copy_path(store).c_str());
    return BackupRequest(std::move(store), std::move(*lock));
  }
  Error error = lock.error();
  if (error.code == ErrorCode::kStoreLocked) {
    error.message = fmt::format("store.path: another backup of {} is under way; wait for it", path);
  }
  return error;
}

BackupRequest::~BackupRequest() {
  if (is_waiting()) ::unlink(request_path(store_).c_str());
  if (lock_.descriptor() >= 0) ::unlink(copy_path(store_).c_str());
}

bool BackupRequest::is_waiting() const {
  return lock_.descriptor() >= 0 && lock_.is_at(request_path(store_));
}

Status BackupRequest::take(const std::string& target) {
  const std::string copy = copy_path(store_);
  std::error_code ignored;
  if (!std::filesystem::exists(copy, ignored)) {
    return Error{ErrorCode::kStoreIo,
                 fmt::format("store.path: the server could not copy {}; its log says why", store_),
                 "store.path"};
  }
  return copy_file(copy, target);
}

void serve_backup_request(Database& store, const std::string& path) {
  const std::string request = request_path(path);
  struct stat found{};
  if (::lstat(request.c_str(), &found) != 0) return;
  if (!somebody_waits(request, found)) {
    ::unlink(request.c_str());
    return;
  }
  const std::string copy = copy_path(path);
  ::unlink(copy.c_str());  // of somebody who went away
  const Status copied = copy_store(store, copy);
  if (!somebody_waits(request, found)) {
    // That one went away meanwhile; a request that came since is for the next flush, with what it holds.
    ::unlink(copy.c_str());
    return;
  }
  if (copied) {
    spdlog::info("store: backed up");
  } else {
    spdlog::error("store: no backup: {}", copied.error().message);
  }
  ::unlink(request.c_str());
}

void remove_backup_copies(const std::string& path) {
  const std::filesystem::path copy = copy_path(path);
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(copy.parent_path(), ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(copy.filename().string())) std::filesystem::remove(entry.path(), ignored);
  }
}

void refuse_backup_request(const std::string& path) {
  ::unlink(request_path(path).c_str());
}

}  // namespace tickwire
