// Addresses of sockets as text, and the listening socket of one. No state; any thread; blocks while a host
// name is looked up.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/shares.h"

namespace tickwire {

// "127.0.0.1:8080", "[::1]:8080".
std::string address_text(const std::string& host, std::uint16_t port);

// The address of the peer of a connected socket; "unknown" when the peer is gone.
std::string peer_text(int socket);

// What limits count a peer as: exempt at 127.0.0.1 and ::1, which is where this machine's own programs and
// its proxy come from, and where the peer is gone already. 127.0.0.2 and up are addresses like any other.
PeerAddress peer_address(const sockaddr_storage& address);
PeerAddress peer_address(int socket);

// A listening, non-blocking socket, shared with other loops by SO_REUSEPORT. `alone`: fails when somebody
// listens there already, which SO_REUSEPORT by itself would let pass. The caller closes it. kListen, which
// names `key`, the setting that says where.
Result<int> open_listener(const std::string& host, std::uint16_t port, int backlog, bool alone,
                          std::string_view key = "server.listen");

// The port that a socket is bound to.
std::uint16_t bound_port(int socket);

}  // namespace tickwire
