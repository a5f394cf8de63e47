#include "net/client_address.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace tickwire {
namespace {

constexpr std::uint32_t kLoopbackIpv4 = 0x7F00'0001;

std::uint64_t number(std::span<const std::uint8_t> bytes) {
  std::uint64_t value = 0;
  for (const std::uint8_t byte : bytes) value = value << 8U | byte;
  return value;
}

}  // namespace

PeerAddress ClientAddress::counted() const {
  if (!endpoint) return {};
  const IpAddress& address = endpoint->address;
  const std::span<const std::uint8_t> bytes = address.bytes();
  if (address.is_ipv4()) {
    const auto ipv4 = static_cast<std::uint32_t>(number(bytes.last(4)));
    return ipv4 == kLoopbackIpv4 && !proxied ? PeerAddress{} : PeerAddress::of_ipv4(ipv4);
  }
  const std::uint64_t network = number(bytes.first(8));
  // ::/64 holds ::1, and has no key of its own: its key means exempt.
  if (network == 0) {
    return address.is_loopback() && !proxied ? PeerAddress{} : PeerAddress::of_ipv4(kLoopbackIpv4);
  }
  return PeerAddress::of_ipv6_network(network);
}

}  // namespace tickwire
