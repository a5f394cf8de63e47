// The UNIX socket of the admin listener: its folder, its file, and who is at its other end.
//
// Any thread; blocks for a second at most. What is made here is for this user alone: a folder of mode 0700, a
// socket of mode 0600 from the moment it exists. Nothing is followed, replaced or removed that is not ours: a
// file at the path that is no socket, belongs to another user or is served by somebody is an error.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <utility>

#include "base/error.h"

namespace tickwire {

inline constexpr std::size_t kSocketPathBytesMax = 107;  // sun_path without its end (unix(7))

// The file of a listening socket; removed with this object, if it is still the one that was made.
class SocketFile {
 public:
  SocketFile() = default;
  ~SocketFile() { remove(); }
  SocketFile(const SocketFile&) = delete;
  SocketFile& operator=(const SocketFile&) = delete;

  // Makes it, and replaces one that nobody listens on any more. The listening, non-blocking socket, which the
  // caller closes. kListen.
  Result<int> listen(std::string path, int backlog);
  void remove();
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

// Makes the folder where it is missing (not those above it), and mode 0700 where it is ours and looser.
// kListen: it is no folder, a link, or somebody else's.
Status make_private_folder(const std::string& folder);

// Removes the sockets (*.sock) of this user in `folder` on which nobody listens any more: those of plants
// that were killed. Stays silent where it cannot.
void remove_dead_sockets(const std::string& folder);

// Whether a connected UNIX socket's other end runs as this process' user or root (SO_PEERCRED).
bool is_own_peer(int socket);
// Who that is, for the log: "uid 0, pid 4711".
std::string describe_peer(int socket);

}  // namespace tickwire
