// Door: by which kind of listener a client came in, and so which requests it may make. Entrance: all that a
// connection needs to know of its listener. Values.
#pragma once

#include <cstdint>

#include "net/net_config.h"

namespace tickwire {

enum class Door : std::uint8_t {
  kPublic,
  kAdminSocket,  // a UNIX socket: the other end was checked when it connected
  kAdminTcp,     // each request is checked: token, Host, Origin
};

struct Entrance {
  Door door = Door::kPublic;
  Transport transport = Transport::kPlain;
  ProxyProtocol proxy = ProxyProtocol::kOff;
  bool loopback = false;  // only programs of this machine reach it
};

}  // namespace tickwire
