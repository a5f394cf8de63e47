// ProxyRules: which proxies in front are believed when they say who their client is, and how they say it. A
// value.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "net/client_address.h"
#include "net/ip_address.h"

namespace tickwire {

enum class ProxyHeader : std::uint8_t { kNone, kXForwardedFor, kForwarded };
// The PROXY protocol (net/proxy_protocol.h) in front of everything that a listener's client sends.
enum class ProxyProtocol : std::uint8_t { kOff, kRequired };

struct ProxyRules {
  std::vector<IpNetwork> trusted;
  ProxyHeader header = ProxyHeader::kNone;

  [[nodiscard]] bool trusts(const ClientAddress& client) const {
    return client.endpoint && trusts(client.endpoint->address);
  }
  [[nodiscard]] bool trusts(const IpAddress& address) const {
    return std::ranges::any_of(trusted, [&](const IpNetwork& network) { return network.holds(address); });
  }
  // Whether `client` may name another one in a header.
  [[nodiscard]] bool reads_header_of(const ClientAddress& client) const {
    return header != ProxyHeader::kNone && trusts(client);
  }
  // Whether `client` may name another one by the PROXY protocol. Without a list, whoever reaches a listener
  // that requires it may.
  [[nodiscard]] bool takes_preamble_of(const ClientAddress& client) const {
    return trusted.empty() || trusts(client);
  }
};

}  // namespace tickwire
