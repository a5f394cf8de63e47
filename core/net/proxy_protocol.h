// parse_proxy_preamble: what a proxy writes first on a connection to say who its client is: the PROXY
// protocol, version 1 (a line of text) and 2 (binary), as
// https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt has them.
//
// Strict: what is not exactly one of both is refused, as early as it shows. TLVs, addresses of UNIX sockets
// and those of other protocols are skipped. Pure; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <variant>

#include "net/ip_address.h"

namespace tickwire {

// All of it, with what is skipped: what fits into one packet whatever the path, as the specification asks.
inline constexpr std::size_t kProxyPreambleBytesMax = 536;

struct ProxyPreamble {
  std::size_t size = 0;  // the client's own bytes begin behind it
  // Nothing: the peer of the socket is the client (LOCAL, UNKNOWN, or an address that is no IP address).
  std::optional<Endpoint> client;
};

struct BadPreamble {
  std::string_view why;  // lives for ever
};

// `bytes`: from the connection's first on, what has come so far. std::monostate: more has to come.
using ParsedPreamble = std::variant<std::monostate, ProxyPreamble, BadPreamble>;
ParsedPreamble parse_proxy_preamble(std::string_view bytes);

}  // namespace tickwire
