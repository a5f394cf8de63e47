// IpAddress, Endpoint and IpNetwork: addresses of the internet as plain values: read strictly, compared,
// written in one spelling.
//
// An IPv4 address that is spelled as IPv6 (::ffff:192.0.2.1), as sockets of both families tell it, is that
// IPv4 address. Pure; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"

namespace tickwire {

class IpAddress {
 public:
  // 4 bytes, or 16, in the order of the network.
  static IpAddress of_ipv4(std::span<const std::uint8_t, 4> bytes);
  static IpAddress of_ipv6(std::span<const std::uint8_t, 16> bytes);
  // "192.0.2.1" or "2001:db8::1", without brackets, port or zone. Nothing: it is none.
  static std::optional<IpAddress> parse(std::string_view text);

  [[nodiscard]] bool is_ipv4() const;
  [[nodiscard]] bool is_loopback() const;  // 127.0.0.0/8 or ::1
  // All 16 bytes; of an IPv4 address those of ::ffff:a.b.c.d.
  [[nodiscard]] const std::array<std::uint8_t, 16>& bytes() const { return bytes_; }
  [[nodiscard]] std::string text() const;
  bool operator==(const IpAddress&) const = default;

 private:
  std::array<std::uint8_t, 16> bytes_{};
};

struct Endpoint {
  IpAddress address;
  std::uint16_t port = 0;  // 0: unknown

  // "192.0.2.1:4711", "[2001:db8::1]:4711"; where the port is unknown "192.0.2.1", "2001:db8::1".
  [[nodiscard]] std::string text() const;
  bool operator==(const Endpoint&) const = default;
};

// The addresses that begin with the same bits.
class IpNetwork {
 public:
  // "10.0.0.0/8", "2001:db8::/32", or one address. kBadConfig says what is wrong, with what was most likely
  // meant.
  static Result<IpNetwork> parse(std::string_view text);
  // Only addresses of its own family.
  [[nodiscard]] bool holds(const IpAddress& address) const;

 private:
  IpNetwork(const IpAddress& first, int bits) : first_(first), bits_(bits) {}

  IpAddress first_;
  int bits_;  // of IpAddress::bytes()
};

// "a.example:8080", "192.0.2.1", "[::1]:8080": what stands before the port, without brackets, and the port as
// it is written. Nothing: a bracket is not closed, or something else than a port follows it.
struct HostAndPort {
  std::string_view host;
  bool bracketed = false;
  std::optional<std::string_view> port;
};
std::optional<HostAndPort> split_host_and_port(std::string_view text);
// Back again: "127.0.0.1:8080", "[::1]:8080".
std::string address_text(std::string_view host, std::uint16_t port);

// A whole number from 0 to 65535 without a sign or leading zeros. Nothing: it is none.
std::optional<std::uint16_t> parse_port(std::string_view text);

}  // namespace tickwire
