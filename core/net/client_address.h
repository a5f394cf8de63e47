// ClientAddress: who a connection's client is: the peer of its socket, or whom a proxy in front names
// (net/forwarded.h, net/proxy_protocol.h). A plain value.
#pragma once

#include <optional>
#include <string>

#include "base/shares.h"
#include "net/ip_address.h"

namespace tickwire {

struct ClientAddress {
  std::optional<Endpoint> endpoint;  // nothing: the peer is gone already, or came by a UNIX socket
  bool proxied = false;              // a proxy named it

  // What limits count it as. Exempt are 127.0.0.1 and ::1, where this machine's own programs come from, and
  // who has no address; but nobody whom a proxy names. 127.0.0.2 and up are addresses like any other.
  [[nodiscard]] PeerAddress counted() const;
  // As in Endpoint::text(); "unknown".
  [[nodiscard]] std::string text() const { return endpoint ? endpoint->text() : "unknown"; }
};

}  // namespace tickwire
