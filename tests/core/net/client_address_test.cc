#include "net/client_address.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <string>

#include "net/socket_address.h"

namespace tickwire {
namespace {

sockaddr_storage address(const std::string& text) {
  sockaddr_storage storage{};
  if (text.find(':') == std::string::npos) {
    auto& ipv4 = reinterpret_cast<sockaddr_in&>(storage);
    ipv4.sin_family = AF_INET;
    ipv4.sin_port = htons(4711);
    EXPECT_EQ(::inet_pton(AF_INET, text.c_str(), &ipv4.sin_addr), 1) << text;
  } else {
    auto& ipv6 = reinterpret_cast<sockaddr_in6&>(storage);
    ipv6.sin6_family = AF_INET6;
    ipv6.sin6_port = htons(4711);
    EXPECT_EQ(::inet_pton(AF_INET6, text.c_str(), &ipv6.sin6_addr), 1) << text;
  }
  return storage;
}

PeerAddress counted(const std::string& text) {
  return client_at(address(text)).counted();
}

PeerAddress counted_through_a_proxy(const std::string& text) {
  return ClientAddress{Endpoint{*IpAddress::parse(text), 0}, true}.counted();
}

TEST(ClientAddress, OnlyTheMachinesOwnTwoAddressesAreExempt) {
  for (const char* text : {"127.0.0.1", "::1", "::ffff:127.0.0.1"})
    EXPECT_TRUE(counted(text).exempt()) << text;
  for (const char* text : {"127.0.0.2", "::ffff:127.0.0.2", "192.0.2.1", "2001:db8::1", "::2"}) {
    EXPECT_FALSE(counted(text).exempt()) << text;
  }
  EXPECT_TRUE(ClientAddress{}.counted().exempt()) << "a UNIX socket";
}

TEST(ClientAddress, NobodyWhomAProxyNamesIsExempt) {
  for (const char* text :
       {"127.0.0.1", "::1", "::ffff:127.0.0.1", "::", "0.0.0.0", "192.0.2.1", "2001:db8::1"}) {
    EXPECT_FALSE(counted_through_a_proxy(text).exempt()) << text;
  }
  EXPECT_EQ(counted_through_a_proxy("192.0.2.1"), counted("192.0.2.1"));
}

TEST(ClientAddress, IsAnIpv4AddressHoweverItIsSpelledOrTheNetworkOfAnIpv6Address) {
  EXPECT_EQ(counted("192.0.2.1"), counted("::ffff:192.0.2.1"));
  EXPECT_FALSE(counted("192.0.2.1") == counted("192.0.2.2"));
  EXPECT_EQ(counted("2001:db8:0:1::1"), counted("2001:db8:0:1:ffff::2"));
  EXPECT_FALSE(counted("2001:db8:0:1::1") == counted("2001:db8:0:2::1"));
}

TEST(ClientAddress, IsWrittenWithItsPortWhereThatIsKnown) {
  EXPECT_EQ(client_at(address("::ffff:192.0.2.1")).text(), "192.0.2.1:4711");
  EXPECT_EQ(client_at(address("2001:DB8:0::1")).text(), "[2001:db8::1]:4711");
  EXPECT_EQ((ClientAddress{Endpoint{*IpAddress::parse("2001:db8::1"), 0}, true}.text()), "2001:db8::1");
  EXPECT_EQ((ClientAddress{Endpoint{*IpAddress::parse("192.0.2.1"), 0}, true}.text()), "192.0.2.1");
  EXPECT_EQ(ClientAddress{}.text(), "unknown");
}

}  // namespace
}  // namespace tickwire
