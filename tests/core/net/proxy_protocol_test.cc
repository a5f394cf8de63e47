#include "net/proxy_protocol.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace tickwire {
namespace {

const std::string kSignature("\r\n\r\n\0\r\nQUIT\n", 12);
const std::string kIpv4("\xC0\x00\x02\x01\xC0\x00\x02\x02\x12\x67\x01\xBB", 12);  // 192.0.2.1:4711
const std::string kIpv6 = std::string("\x20\x01\x0D\xB8\0\0\0\0\0\0\0\0\0\0\0\x01", 16) +
                          std::string("\x20\x01\x0D\xB8\0\0\0\0\0\0\0\0\0\0\0\x02", 16) + "\x12\x67\x01\xBB";

std::string binary(int version_and_command, int family, const std::string& rest) {
  return kSignature + static_cast<char>(version_and_command) + static_cast<char>(family) +
         static_cast<char>(rest.size() >> 8U) + static_cast<char>(rest.size() & 0xFFU) + rest;
}

// Also that it is read the same piece by piece, and that what follows is nobody's business.
ProxyPreamble read(const std::string& bytes) {
  const ParsedPreamble parsed = parse_proxy_preamble(bytes + "GET / HTTP/1.1\r\n");
  if (const auto* bad = std::get_if<BadPreamble>(&parsed)) {
    ADD_FAILURE() << bytes << ": " << bad->why;
    return {};
  }
  const auto* preamble = std::get_if<ProxyPreamble>(&parsed);
  EXPECT_NE(preamble, nullptr) << bytes;
  if (preamble == nullptr) return {};
  EXPECT_EQ(preamble->size, bytes.size());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_TRUE(std::holds_alternative<std::monostate>(parse_proxy_preamble(bytes.substr(0, size)))) << size;
  }
  return *preamble;
}

std::string client_of(const std::string& bytes) {
  const ProxyPreamble preamble = read(bytes);
  return preamble.client ? preamble.client->text() : "the peer";
}

std::string refusal_of(const std::string& bytes) {
  const ParsedPreamble parsed = parse_proxy_preamble(bytes);
  const auto* bad = std::get_if<BadPreamble>(&parsed);
  return bad == nullptr ? "" : std::string(bad->why);
}

TEST(ProxyProtocol, ALineOfTextNamesTheClient) {
  EXPECT_EQ(client_of("PROXY TCP4 192.0.2.1 192.0.2.2 4711 443\r\n"), "192.0.2.1:4711");
  EXPECT_EQ(client_of("PROXY TCP6 2001:db8::1 ::1 4711 443\r\n"), "[2001:db8::1]:4711");
  EXPECT_EQ(client_of("PROXY TCP6 ::ffff:192.0.2.1 ::ffff:192.0.2.2 4711 443\r\n"), "192.0.2.1:4711");
  EXPECT_EQ(client_of("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"), "255.255.255.255:65535");
  EXPECT_EQ(client_of("PROXY UNKNOWN\r\n"), "the peer");
  EXPECT_EQ(client_of("PROXY UNKNOWN ffff:f:f:f:f:f:f:f ffff:f:f:f:f:f:f:f 65535 65535\r\n"), "the peer");
  EXPECT_EQ(client_of("PROXY UNKNOWN " + std::string(91, 'x') + "\r\n"), "the peer") << "107 bytes";
}

TEST(ProxyProtocol, AWrongLineIsRefused) {
  for (const char* line : {"PROXY TCP4 192.0.2.1 192.0.2.2 4711 443\n",
                           "PROXY TCP4 192.0.2.1 192.0.2.2 4711\r\n",
                           "PROXY TCP4 192.0.2.1 192.0.2.2 4711 443 \r\n",
                           "PROXY TCP4  192.0.2.1 192.0.2.2 4711 443\r\n",
                           "PROXY TCP4 192.0.2.1 192.0.2.2 4711 65536\r\n",
                           "PROXY TCP4 192.0.2.1 192.0.2.2 04711 443\r\n",
                           "PROXY TCP4 192.0.2.1 192.0.2.2 -1 443\r\n",
                           "PROXY TCP4 192.0.2.1 2001:db8::1 4711 443\r\n",
                           "PROXY TCP4 2001:db8::1 2001:db8::2 4711 443\r\n",
                           "PROXY TCP6 192.0.2.1 192.0.2.2 4711 443\r\n",
                           "PROXY TCP4 192.0.2.256 192.0.2.2 4711 443\r\n",
                           "PROXY UDP4 192.0.2.1 192.0.2.2 4711 443\r\n",
                           "PROXY UNKNOWNS\r\n",
                           "PROXY UNKNOWN a\rb\r\n",
                           "PROXY tcp4 192.0.2.1 192.0.2.2 4711 443\r\n",
                           "PROXY \r\n",
                           "proxy",
                           " PROXY",
                           "GET / HTTP/1.1\r\n",
                           "\x16\x03\x01"}) {
    EXPECT_NE(refusal_of(line), "") << line;
  }
  EXPECT_NE(refusal_of("PROXY UNKNOWN " + std::string(92, 'x') + "\r\n"), "") << "108 bytes";
  EXPECT_NE(refusal_of("PROXY UNKNOWN " + std::string(93, 'x')), "") << "no end in sight";
}

TEST(ProxyProtocol, BinaryNamesTheClient) {
  EXPECT_EQ(client_of(binary(0x21, 0x11, kIpv4)), "192.0.2.1:4711");
  EXPECT_EQ(client_of(binary(0x21, 0x21, kIpv6)), "[2001:db8::1]:4711");
  EXPECT_EQ(client_of(binary(0x21, 0x11, kIpv4 + std::string("\x03\x00\x04zzzz", 7))), "192.0.2.1:4711")
      << "TLV";
}

TEST(ProxyProtocol, BinaryWithoutAnAddressOfTheInternetKeepsThePeer) {
  EXPECT_EQ(client_of(binary(0x20, 0x00, "")), "the peer") << "LOCAL";
  EXPECT_EQ(client_of(binary(0x20, 0x11, kIpv4)), "the peer") << "LOCAL with an address";
  EXPECT_EQ(client_of(binary(0x20, 0xFF, "xyz")), "the peer") << "LOCAL with whatever";
  EXPECT_EQ(client_of(binary(0x21, 0x00, "")), "the peer") << "UNSPEC";
  EXPECT_EQ(client_of(binary(0x21, 0x31, std::string(216, 'u'))), "the peer") << "a UNIX socket";
  EXPECT_EQ(client_of(binary(0x21, 0x12, kIpv4)), "the peer") << "UDP";
}

TEST(ProxyProtocol, AWrongBinaryIsRefused) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {binary(0x11, 0x11, kIpv4), "its version is not 2"},
      {binary(0x22, 0x11, kIpv4), "its command is unknown"},
      {binary(0x21, 0x41, kIpv4), "its address family or protocol is unknown"},
      {binary(0x21, 0x13, kIpv4), "its address family or protocol is unknown"},
      {binary(0x21, 0x11, kIpv4.substr(1)), "its length has no room for its addresses"},
      {binary(0x21, 0x21, kIpv6.substr(1)), "its length has no room for its addresses"},
      {kSignature.substr(0, 11) + "\r", "it does not begin as the PROXY protocol does"},
  };
  for (const auto& [bytes, why] : cases) EXPECT_EQ(refusal_of(bytes), why);
}

TEST(ProxyProtocol, HasAtMost536Bytes) {
  const auto padded = [](std::size_t size) {
    return binary(0x21, 0x11, kIpv4 + std::string(size - 16 - kIpv4.size(), '\0'));
  };
  EXPECT_EQ(client_of(padded(kProxyPreambleBytesMax)), "192.0.2.1:4711");
  EXPECT_EQ(refusal_of(padded(kProxyPreambleBytesMax + 1).substr(0, 16)), "it is over 536 bytes")
      << "as soon as its length is known";
}

}  // namespace
}  // namespace tickwire
