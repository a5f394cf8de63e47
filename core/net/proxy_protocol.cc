#include "net/proxy_protocol.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

namespace tickwire {
namespace {

constexpr std::string_view kTextStart = "PROXY ";
constexpr std::size_t kTextBytesMax = 107;  // with CR LF, as the specification has it

constexpr std::string_view kBinaryStart{"\r\n\r\n\0\r\nQUIT\n", 12};
constexpr std::size_t kBinaryHeadBytes = 16;
constexpr std::uint8_t kVersion2 = 2;
enum class PreambleCommand : std::uint8_t { kLocal = 0, kProxy = 1 };
enum class Family : std::uint8_t { kNone = 0, kIpv4 = 1, kIpv6 = 2, kUnix = 3 };
constexpr std::uint8_t kStream = 1;
constexpr std::uint8_t kTransportMax = 2;  // of unspecified, stream, datagram

// Whether `bytes` may still become, or already begin with, `start`.
bool fits(std::string_view bytes, std::string_view start) {
  const std::size_t common = std::min(bytes.size(), start.size());
  return bytes.substr(0, common) == start.substr(0, common);
}

std::uint8_t byte_at(std::string_view bytes, std::size_t place) {
  return static_cast<std::uint8_t>(bytes[place]);
}

std::uint16_t number_at(std::string_view bytes, std::size_t place) {
  return static_cast<std::uint16_t>(byte_at(bytes, place) << 8U | byte_at(bytes, place + 1));
}

// --- version 1: "PROXY TCP4 192.0.2.1 192.0.2.2 4711 443" CR LF ------------------------------------------

// Takes the text up to the next blank, and the blank.
std::string_view next_word(std::string_view& line) {
  const std::string_view word = line.substr(0, line.find(' '));
  line.remove_prefix(std::min(word.size() + 1, line.size()));
  return word;
}

ParsedPreamble parse_text_line(std::string_view line) {
  ProxyPreamble preamble;
  preamble.size = line.size() + 2;
  if (std::ranges::any_of(line, [](char c) { return c < ' ' || c > '~'; })) {
    return BadPreamble{"its line holds more than printable ASCII"};
  }
  if (std::ranges::count(line, ' ') != 5 && !line.starts_with("PROXY UNKNOWN")) {
    return BadPreamble{"its line is not PROXY, a protocol, two addresses and two ports"};
  }
  line.remove_prefix(kTextStart.size());
  const std::string_view protocol = next_word(line);
  if (protocol == "UNKNOWN") return preamble;
  if (protocol != "TCP4" && protocol != "TCP6")
    return BadPreamble{"its protocol is not TCP4, TCP6 or UNKNOWN"};
  const auto address_of = [protocol](std::string_view text) {
    const bool is_of_protocol = (text.find(':') != std::string_view::npos) == (protocol == "TCP6");
    return is_of_protocol ? IpAddress::parse(text) : std::nullopt;
  };
  const auto source = address_of(next_word(line));
  const auto destination = address_of(next_word(line));
  const auto source_port = parse_port(next_word(line));
  if (!source || !destination) return BadPreamble{"an address is not of its protocol"};
  if (!source_port || !parse_port(line)) return BadPreamble{"a port is no number from 0 to 65535"};
  preamble.client = Endpoint{*source, *source_port};
  return preamble;
}

ParsedPreamble parse_text(std::string_view bytes) {
  const std::size_t end = bytes.substr(0, kTextBytesMax).find('\n');
  if (end == std::string_view::npos) {
    if (bytes.size() >= kTextBytesMax) return BadPreamble{"its line is over 107 bytes"};
    return std::monostate();
  }
  if (bytes[end - 1] != '\r') return BadPreamble{"its line does not end with CR LF"};
  return parse_text_line(bytes.substr(0, end - 1));
}

// --- version 2 -------------------------------------------------------------------------------------------

template <std::size_t Bytes>
std::array<std::uint8_t, Bytes> address_at(std::string_view bytes, std::size_t place) {
  std::array<std::uint8_t, Bytes> address{};
  std::ranges::transform(bytes.substr(place, Bytes), address.begin(),
                         [](char c) { return static_cast<std::uint8_t>(c); });
  return address;
}

// The addresses of both ends, then both ports.
ParsedPreamble parse_binary_addresses(std::string_view bytes, Family family) {
  ProxyPreamble preamble;
  preamble.size = bytes.size();
  const std::size_t address_bytes = family == Family::kIpv4 ? 4 : 16;
  if (bytes.size() < kBinaryHeadBytes + 2 * address_bytes + 4) {
    return BadPreamble{"its length has no room for its addresses"};
  }
  const std::uint16_t port = number_at(bytes, kBinaryHeadBytes + 2 * address_bytes);
  preamble.client = family == Family::kIpv4
                        ? Endpoint{IpAddress::of_ipv4(address_at<4>(bytes, kBinaryHeadBytes)), port}
                        : Endpoint{IpAddress::of_ipv6(address_at<16>(bytes, kBinaryHeadBytes)), port};
  return preamble;
}

ParsedPreamble parse_binary(std::string_view bytes) {
  if (bytes.size() > kBinaryStart.size() && byte_at(bytes, 12) >> 4U != kVersion2) {
    return BadPreamble{"its version is not 2"};
  }
  if (bytes.size() < kBinaryHeadBytes) return std::monostate();
  const auto command = static_cast<PreambleCommand>(byte_at(bytes, 12) & 0xFU);
  if (command != PreambleCommand::kLocal && command != PreambleCommand::kProxy)
    return BadPreamble{"its command is unknown"};
  const auto family = static_cast<Family>(byte_at(bytes, 13) >> 4U);
  const auto transport = static_cast<std::uint8_t>(byte_at(bytes, 13) & 0xFU);
  const std::size_t size = kBinaryHeadBytes + number_at(bytes, 14);
  if (size > kProxyPreambleBytesMax) return BadPreamble{"it is over 536 bytes"};
  if (command == PreambleCommand::kProxy && (family > Family::kUnix || transport > kTransportMax)) {
    return BadPreamble{"its address family or protocol is unknown"};
  }
  if (bytes.size() < size) return std::monostate();
  const bool has_client = command == PreambleCommand::kProxy && transport == kStream &&
                          (family == Family::kIpv4 || family == Family::kIpv6);
  if (!has_client) return ProxyPreamble{size, std::nullopt};
  return parse_binary_addresses(bytes.substr(0, size), family);
}

}  // namespace

ParsedPreamble parse_proxy_preamble(std::string_view bytes) {
  if (bytes.empty()) return std::monostate();
  if (fits(bytes, kTextStart)) return parse_text(bytes);
  if (fits(bytes, kBinaryStart)) return parse_binary(bytes);
  return BadPreamble{"it does not begin as the PROXY protocol does"};
}

}  // namespace tickwire
