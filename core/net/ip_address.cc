#include "net/ip_address.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstddef>

namespace tickwire {
namespace {

constexpr std::array<std::uint8_t, 12> kIpv4Prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
constexpr int kIpv4PrefixBits = 96;
constexpr int kBitsMax = 128;

// The first `bits` bits of `address`, and zeros.
IpAddress masked(const IpAddress& address, int bits) {
  std::array<std::uint8_t, 16> bytes = address.bytes();
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const int left = std::clamp(bits - static_cast<int>(i) * 8, 0, 8);
    bytes.at(i) &= static_cast<std::uint8_t>(0xFF00U >> static_cast<unsigned>(left));
  }
  return IpAddress::of_ipv6(bytes);
}

Error bad_network(std::string_view text, std::string_view why) {
  return {ErrorCode::kBadConfig,
          fmt::format("\"{}\" {}; a network is an address, or an address and a number of bits, as in "
                      "\"10.0.0.0/8\" or \"2001:db8::/32\"",
                      text, why),
          ""};
}

}  // namespace

IpAddress IpAddress::of_ipv4(std::span<const std::uint8_t, 4> bytes) {
  IpAddress address;
  std::ranges::copy(kIpv4Prefix, address.bytes_.begin());
  std::ranges::copy(bytes, address.bytes_.begin() + kIpv4Prefix.size());
  return address;
}

IpAddress IpAddress::of_ipv6(std::span<const std::uint8_t, 16> bytes) {
  IpAddress address;
  std::ranges::copy(bytes, address.bytes_.begin());
  return address;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  if (text.size() >= INET6_ADDRSTRLEN || text.find('\0') != std::string_view::npos) return std::nullopt;
  const std::string terminated(text);
  std::array<std::uint8_t, 16> bytes{};
  if (::inet_pton(AF_INET, terminated.c_str(), bytes.data()) == 1)
    return of_ipv4(std::span(bytes).first<4>());
  if (::inet_pton(AF_INET6, terminated.c_str(), bytes.data()) == 1) return of_ipv6(bytes);
  return std::nullopt;
}

bool IpAddress::is_ipv4() const {
  return std::equal(kIpv4Prefix.begin(), kIpv4Prefix.end(), bytes_.begin());
}

bool IpAddress::is_loopback() const {
  if (is_ipv4()) return bytes_[kIpv4Prefix.size()] == 127;
  return bytes_.back() == 1 &&
         std::all_of(bytes_.begin(), bytes_.end() - 1, [](auto byte) { return byte == 0; });
}

std::string IpAddress::text() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const bool ipv4 = is_ipv4();
  ::inet_ntop(ipv4 ? AF_INET : AF_INET6, bytes_.data() + (ipv4 ? kIpv4Prefix.size() : 0), text.data(),
              text.size());
  return text.data();
}

std::string Endpoint::text() const {
  return port == 0 ? address.text() : address_text(address.text(), port);
}

Result<IpNetwork> IpNetwork::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return bad_network(text, "has no IPv4 or IPv6 address");
  if (slash == std::string_view::npos) return IpNetwork(*address, kBitsMax);
  const bool spelled_as_ipv4 = text.find(':') == std::string_view::npos;
  const int prefix_bits = spelled_as_ipv4 ? kIpv4PrefixBits : 0;
  const auto bits = parse_port(text.substr(slash + 1));  // a number of this kind
  if (!bits || *bits > kBitsMax - prefix_bits) {
    return bad_network(text, fmt::format("has no number of bits from 0 to {}", kBitsMax - prefix_bits));
  }
  const IpNetwork network(*address, prefix_bits + *bits);
  if (address->is_ipv4() && network.bits_ < kIpv4PrefixBits) {
    return bad_network(text, "mixes IPv4 and IPv6 addresses");
  }
  if (const IpAddress first = masked(*address, network.bits_); first != *address) {
    return bad_network(text,
                       fmt::format("has bits behind its first {} (\"{}/{}\" is meant?)", *bits, first.text(),
                                   address->is_ipv4() ? network.bits_ - kIpv4PrefixBits : *bits));
  }
  return network;
}

bool IpNetwork::holds(const IpAddress& address) const {
  return address.is_ipv4() == first_.is_ipv4() && masked(address, bits_) == first_;
}

std::optional<HostAndPort> split_host_and_port(std::string_view text) {
  HostAndPort split;
  split.bracketed = text.starts_with('[');
  const std::size_t end = text.find(split.bracketed ? ']' : ':');
  if (split.bracketed && end == std::string_view::npos) return std::nullopt;
  split.host = split.bracketed ? text.substr(1, end - 1) : text.substr(0, end);
  if (end == std::string_view::npos) return split;
  const std::string_view rest = text.substr(end + (split.bracketed ? 1 : 0));
  if (rest.empty()) return split;
  if (!rest.starts_with(':')) return std::nullopt;
  split.port = rest.substr(1);
  return split;
}

std::string address_text(std::string_view host, std::uint16_t port) {
  return host.find(':') == std::string_view::npos ? fmt::format("{}:{}", host, port)
                                                  : fmt::format("[{}]:{}", host, port);
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), port);
  const bool whole = failed == std::errc() && end == text.data() + text.size();
  if (!whole || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  return port;
}

}  // namespace tickwire
