#include "net/admin_socket.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <memory>
#include <system_error>
#include <thread>
#include <vector>

namespace tickwire {
namespace {

constexpr int kLockTries = 100;
constexpr std::chrono::milliseconds kLockPause{10};

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

Error error(std::string_view path, std::string_view what) {
  return {ErrorCode::kListen, fmt::format("admin.listen: {}: {}", path, what), "admin.listen"};
}

Error system_error(std::string_view path, int failed) {
  return error(path, std::generic_category().message(failed));
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(static_cast<char*>(address.sun_path), kSocketPathBytesMax);
  return address;
}

// Holds off others of ours that make or remove sockets in the same folder. False: it stays held.
bool lock(int folder) {
  for (int i = 0; i < kLockTries; ++i) {
    if (::flock(folder, LOCK_EX | LOCK_NB) == 0) return true;
    std::this_thread::sleep_for(kLockPause);
  }
  return false;
}

// Nobody listens: only a listener that is gone refuses; one that is busy lets wait.
bool is_dead(const std::string& path) {
  const Descriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const sockaddr_un address = address_of(path);
  return probe.get() >= 0 &&
         ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 &&
         errno == ECONNREFUSED;
}

// Makes room for a socket at `path`. The caller holds the folder's lock.
Status clear(const std::string& path) {
  struct stat there{};
  if (::lstat(path.c_str(), &there) != 0) {
    return errno == ENOENT ? ok_status() : Status(system_error(path, errno));
  }
  if (!S_ISSOCK(there.st_mode)) return error(path, "is there, and no socket; remove it or name another path");
  if (there.st_uid != ::geteuid()) {
    return error(path, fmt::format("belongs to user {}; name another path", there.st_uid));
  }
  if (!is_dead(path)) return error(path, "another server listens there; name another path");
  return ::unlink(path.c_str()) == 0 ? ok_status() : Status(system_error(path, errno));
}

}  // namespace

Result<int> SocketFile::listen(std::string path, int backlog) {
  if (path.size() > kSocketPathBytesMax) {
    return error(path, fmt::format("has {} bytes, and the path of a socket {} at most; name a shorter one",
                                   path.size(), kSocketPathBytesMax));
  }
  const std::string folder = folder_of(path);
  const Descriptor holder(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (holder.get() < 0) return system_error(folder, errno);
  if (!lock(holder.get())) return error(folder, "another program holds a lock on the folder (flock)");
  if (const Status cleared = clear(path); !cleared) return cleared.error();

  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const sockaddr_un address = address_of(path);
  // Set before bind(), the mode is that of the file from its first moment on (unix(7), Linux).
  if (socket.get() < 0 || ::fchmod(socket.get(), S_IRUSR | S_IWUSR) != 0 ||
      ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return system_error(path, errno);
  }
  struct stat made{};
  if (::lstat(path.c_str(), &made) != 0) return system_error(path, errno);
  path_ = std::move(path);
  device_ = made.st_dev;
  inode_ = made.st_ino;
  if (::listen(socket.get(), backlog) != 0) {
    const int failed = errno;
    remove();
    return system_error(path_, failed);
  }
  return socket.release();
}

void SocketFile::remove() {
  if (inode_ == 0) return;
  struct stat there{};
  const bool ours = ::lstat(path_.c_str(), &there) == 0 && there.st_dev == device_ && there.st_ino == inode_;
  if (ours) ::unlink(path_.c_str());
  inode_ = 0;
}

Status make_private_folder(const std::string& folder) {
  if (::mkdir(folder.c_str(), S_IRWXU) != 0 && errno != EEXIST) return system_error(folder, errno);
  const Descriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat there{};
  if (opened.get() < 0 || ::fstat(opened.get(), &there) != 0) return system_error(folder, errno);
  if (there.st_uid != ::geteuid()) {
    return error(folder, fmt::format("belongs to user {}, not to this one", there.st_uid));
  }
  if ((there.st_mode & (S_IRWXG | S_IRWXO)) != 0 && ::fchmod(opened.get(), S_IRWXU) != 0) {
    return system_error(folder, errno);
  }
  return ok_status();
}

void remove_dead_sockets(const std::string& folder) {
  const Descriptor holder(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (holder.get() < 0 || !lock(holder.get())) return;
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(::opendir(folder.c_str()), &::closedir);
  std::vector<std::string> paths;
  while (const dirent* entry = listing == nullptr ? nullptr : ::readdir(listing.get())) {
    const std::string_view name = static_cast<const char*>(entry->d_name);
    if (name.ends_with(".sock")) paths.push_back(fmt::format("{}/{}", folder, name));
  }
  for (const std::string& path : paths) {
    struct stat there{};
    const bool ours = path.size() <= kSocketPathBytesMax && ::lstat(path.c_str(), &there) == 0 &&
                      S_ISSOCK(there.st_mode) && there.st_uid == ::geteuid();
    if (ours && is_dead(path)) ::unlink(path.c_str());
  }
}

bool is_own_peer(int socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  return peer.uid == ::geteuid() || peer.uid == 0;
}

std::string describe_peer(int socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return "unknown";
  return fmt::format("uid {}, pid {}", peer.uid, peer.pid);
}

}  // namespace tickwire
