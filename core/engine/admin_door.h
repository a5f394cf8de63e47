// AdminDoor: where the admin listener of a server is, from the setting `admin.listen` to a listening socket.
//
// One thread. Owns the file of a UNIX socket, and removes it when it is destroyed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/config.h"
#include "net/admin_socket.h"
#include "net/door.h"

namespace tickwire {

struct AdminAddress {
  enum class Kind : std::uint8_t { kOff, kAuto, kPath, kTcp };
  Kind kind = Kind::kOff;
  std::string path;  // of kPath
  ListenAddress tcp;
};

// What `admin.listen` and `auth.admin_token` say. kBadConfig: neither auto, off, a path nor host:port; a path
// that is too long for a socket; TCP without a token.
Result<AdminAddress> parse_admin_listen(const Config& config);

class AdminDoor {
 public:
  // Where `admin.listen` is auto, no folder that can be used is no error: it is logged, and the door stays
  // shut. kListen, kBadConfig. `public_address` ("127.0.0.1:8080") names the socket.
  Status open(const Config& config, const std::string& public_address);
  void close() { file_.remove(); }

  // The listening socket that open() made, which somebody else closes; < 0: the door is shut.
  [[nodiscard]] int socket() const { return socket_; }
  [[nodiscard]] Door door() const { return door_; }
  // Path or host:port; empty: the door is shut.
  [[nodiscard]] const std::string& address() const { return address_; }

 private:
  Status open_tcp(const ListenAddress& wanted);
  Status open_socket(const std::string& path);
  void open_anywhere(const std::string& public_address);

  SocketFile file_;
  int socket_ = -1;
  Door door_ = Door::kAdminSocket;
  std::string address_;
};

// Folders for the socket where `admin.listen` is auto, best first: $XDG_RUNTIME_DIR/tickwire,
// /run/user/<uid>/tickwire, <temporary folder>/tickwire-<uid>. python/tickwire/cli/admin.py looks in the same
// ones.
std::vector<std::string> admin_folders();

}  // namespace tickwire
