// Addresses of sockets as text, and the listening socket of one. No state; any thread; blocks while a host
// name is looked up.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "net/client_address.h"

namespace tickwire {

// The peer of a connected socket.
ClientAddress peer_of(int socket);
// The same of an address that the kernel told.
ClientAddress client_at(const sockaddr_storage& address);

// A listening, non-blocking socket, shared with other loops by SO_REUSEPORT. `alone`: fails when somebody
// listens there already, which SO_REUSEPORT by itself would let pass. The caller closes it. kListen, which
// names `key`, the setting that says where.
Result<int> open_listener(const std::string& host, std::uint16_t port, int backlog, bool alone,
                          std::string_view key = "server.listen");

// The port that a socket is bound to.
std::uint16_t bound_port(int socket);
// Whether only programs of this machine can reach it.
bool is_bound_to_loopback(int socket);

}  // namespace tickwire
