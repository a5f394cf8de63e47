// Door: by which listener a client came in, and so which requests it may make. A value.
#pragma once

#include <cstdint>

namespace tickwire {

enum class Door : std::uint8_t {
  kPublic,
  kAdminSocket,  // a UNIX socket: the other end was checked when it connected
  kAdminTcp,     // each request is checked: token, Host, Origin
};

}  // namespace tickwire
