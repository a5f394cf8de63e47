#include "net/socket_address.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <string>

namespace tickwire {
namespace {

sockaddr_storage address(const std::string& text) {
  sockaddr_storage storage{};
  if (text.find(':') == std::string::npos) {
    auto& ipv4 = reinterpret_cast<sockaddr_in&>(storage);
    ipv4.sin_family = AF_INET;
    EXPECT_EQ(::inet_pton(AF_INET, text.c_str(), &ipv4.sin_addr), 1) << text;
  } else {
    auto& ipv6 = reinterpret_cast<sockaddr_in6&>(storage);
    ipv6.sin6_family = AF_INET6;
    EXPECT_EQ(::inet_pton(AF_INET6, text.c_str(), &ipv6.sin6_addr), 1) << text;
  }
  return storage;
}

PeerAddress peer(const std::string& text) {
  return peer_address(address(text));
}

TEST(PeerAddress, OnlyTheMachinesOwnTwoAddressesAreExempt) {
  for (const char* text : {"127.0.0.1", "::1", "::ffff:127.0.0.1"}) EXPECT_TRUE(peer(text).exempt()) << text;
  for (const char* text : {"127.0.0.2", "::ffff:127.0.0.2", "192.0.2.1", "2001:db8::1"}) {
    EXPECT_FALSE(peer(text).exempt()) << text;
  }
}

TEST(PeerAddress, IsAnIpv4AddressHoweverItIsSpelledOrTheNetworkOfAnIpv6Address) {
  EXPECT_EQ(peer("192.0.2.1"), peer("::ffff:192.0.2.1"));
  EXPECT_FALSE(peer("192.0.2.1") == peer("192.0.2.2"));
  EXPECT_EQ(peer("2001:db8:0:1::1"), peer("2001:db8:0:1:ffff::2"));
  EXPECT_FALSE(peer("2001:db8:0:1::1") == peer("2001:db8:0:2::1"));
}

}  // namespace
}  // namespace tickwire
