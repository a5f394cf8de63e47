#include "net/forwarded.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace tickwire {
namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;

ProxyRules rules(ProxyHeader header) {
  ProxyRules rules;
  rules.header = header;
  for (const char* network : {"10.0.0.0/8", "127.0.0.1", "fd00::/8"}) {
    rules.trusted.push_back(*IpNetwork::parse(network));
  }
  return rules;
}

// "400", or who the client is; "(proxied)" where limits count it whatever its address.
std::string client(ProxyHeader header, Headers headers, const char* peer = "10.0.0.1") {
  RequestHead head;
  head.headers = std::move(headers);
  const auto found = find_client(head, {Endpoint{*IpAddress::parse(peer), 9}, false}, rules(header));
  if (const auto* refusal = std::get_if<Refusal>(&found)) {
    EXPECT_EQ(refusal->error.code, ErrorCode::kBadMessage);
    return std::to_string(refusal->status);
  }
  const auto& address = std::get<ClientAddress>(found);
  return address.text() + (address.proxied ? " (proxied)" : "");
}

std::string by_list(const std::string& value) {
  return client(ProxyHeader::kXForwardedFor, {{"x-forwarded-for", value}});
}

std::string by_elements(const std::string& value) {
  return client(ProxyHeader::kForwarded, {{"forwarded", value}});
}

TEST(XForwardedFor, TheRightmostHopThatIsNotTrustedIsTheClient) {
  EXPECT_EQ(by_list("203.0.113.7"), "203.0.113.7 (proxied)");
  EXPECT_EQ(by_list("1.1.1.1, 203.0.113.7"), "203.0.113.7 (proxied)")
      << "what it says of itself does not count";
  EXPECT_EQ(by_list("1.1.1.1, 203.0.113.7 ,10.0.0.2,\t10.9.9.9"), "203.0.113.7 (proxied)");
  EXPECT_EQ(by_list("10.0.0.3, 10.0.0.2"), "10.0.0.3 (proxied)") << "all are trusted: the first";
  EXPECT_EQ(by_list("10.0.0.2, 127.0.0.1"), "10.0.0.2 (proxied)");
  EXPECT_EQ(by_list("127.0.0.1"), "127.0.0.1 (proxied)");
  EXPECT_EQ(by_list("203.0.113.7, fd00::2"), "203.0.113.7 (proxied)");
  EXPECT_EQ(by_list(",, 203.0.113.7,,"), "203.0.113.7 (proxied)") << "empty elements are none";
}

TEST(XForwardedFor, AddressesComeInManySpellings) {
  EXPECT_EQ(by_list("203.0.113.7:4711"), "203.0.113.7:4711 (proxied)");
  EXPECT_EQ(by_list("2001:DB8::1"), "2001:db8::1 (proxied)");
  EXPECT_EQ(by_list("[2001:db8::1]"), "2001:db8::1 (proxied)");
  EXPECT_EQ(by_list("[2001:db8::1]:4711"), "[2001:db8::1]:4711 (proxied)");
  EXPECT_EQ(by_list("::ffff:203.0.113.7"), "203.0.113.7 (proxied)");
  EXPECT_EQ(by_list("203.0.113.7:_x"), "203.0.113.7 (proxied)");
}

TEST(XForwardedFor, LinesAreOneListInTheirOrder) {
  const Headers headers{{"x-forwarded-for", "1.1.1.1"}, {"host", "a"}, {"x-forwarded-for", "203.0.113.7"}};
  EXPECT_EQ(client(ProxyHeader::kXForwardedFor, headers), "203.0.113.7 (proxied)");
  EXPECT_EQ(
      client(ProxyHeader::kXForwardedFor, {{"x-forwarded-for", "1.1.1.1"}, {"x-forwarded-for", "10.0.0.2"}}),
      "1.1.1.1 (proxied)");
}

TEST(XForwardedFor, AProxyThatHidesItsClientIsTheClient) {
  EXPECT_EQ(by_list("unknown"), "10.0.0.1:9 (proxied)");
  EXPECT_EQ(by_list("203.0.113.7, unknown, 10.0.0.2"), "10.0.0.2 (proxied)");
  EXPECT_EQ(by_list("203.0.113.7, _secret"), "10.0.0.1:9 (proxied)");
}

TEST(XForwardedFor, WhatCannotBeReadIsRefusedWhereItCounts) {
  for (const char* value :
       {"a.example", "1.2.3", "1.2.3.4:65536", "1.2.3.4:", "[2001:db8::1", "[2001:db8::1]x", "[1.2.3.4]",
        "2001:db8::1:zz", "fe80::1%eth0", "\"1.2.3.4\"", "1.2.3.4 5.6.7.8"}) {
    EXPECT_EQ(by_list(value), "400") << value;
    EXPECT_EQ(by_list(std::string(value) + ", 10.0.0.2"), "400") << value;
    EXPECT_EQ(by_list(std::string(value) + ", 203.0.113.7"), "203.0.113.7 (proxied)") << value;
  }
}

TEST(Forwarded, IsReadAsRfc7239Says) {
  EXPECT_EQ(by_elements("for=203.0.113.7"), "203.0.113.7 (proxied)");
  EXPECT_EQ(by_elements("For=\"203.0.113.7:4711\""), "203.0.113.7:4711 (proxied)");
  EXPECT_EQ(by_elements("for=\"[2001:db8:cafe::17]:4711\""), "[2001:db8:cafe::17]:4711 (proxied)");
  EXPECT_EQ(by_elements("for=\"[2001:db8::1]\""), "2001:db8::1 (proxied)");
  EXPECT_EQ(by_elements("for=\"203\\.0.113.7\""), "203.0.113.7 (proxied)") << "a quoted pair";
  EXPECT_EQ(by_elements("proto=https;by=10.0.0.1;for=203.0.113.7;host=\"a,b;c\""), "203.0.113.7 (proxied)");
  EXPECT_EQ(by_elements("for=1.1.1.1, for=203.0.113.7;proto=http , for=10.0.0.2;"), "203.0.113.7 (proxied)");
  EXPECT_EQ(by_elements("for=203.0.113.7 ; proto=https"), "203.0.113.7 (proxied)");
  EXPECT_EQ(by_elements("for=\"203.0.113.7:_gazonk\""), "203.0.113.7 (proxied)");
}

TEST(Forwarded, AProxyThatHidesItsClientIsTheClient) {
  for (const char* value : {"for=unknown", "for=Unknown", "for=_hidden", "for=\"_SEVKISEK\"",
                            "for=\"unknown:80\"", "proto=https", "for=203.0.113.7, by=10.0.0.1"}) {
    EXPECT_EQ(by_elements(value), "10.0.0.1:9 (proxied)") << value;
  }
}

TEST(Forwarded, WhatIsNotWellFormedIsRefused) {
  for (const char* value : {"for", "for=", "=1.2.3.4", "for=1.2.3.4;for=1.2.3.4", "for=1.2.3.4:80",
                            "for=2001:db8::1", "for=\"2001:db8::1\"", "for=[2001:db8::1]", "for=\"1.2.3.4",
                            "for=\"1.2.3.4\\", "for=1.2.3.4 for=1.2.3.4", "for=\"1.2.3.4\"x", "for = 1.2.3.4",
                            "for=a.example", "for=\"_\"", "for=\"\"", "203.0.113.7"}) {
    EXPECT_EQ(by_elements(value), "400") << value;
  }
}

TEST(Forwarded, AQuoteThatAClientLeavesOpenDoesNotHideWhatItsProxyAdds) {
  EXPECT_EQ(by_elements("for=9.9.9.9;by=\", for=203.0.113.7"), "400");
  EXPECT_EQ(by_elements("for=9.9.9.9;by=\", for=\"[2001:db8::1]\""), "400");
  EXPECT_EQ(
      client(ProxyHeader::kForwarded, {{"forwarded", "for=9.9.9.9;by=\""}, {"forwarded", "for=203.0.113.7"}}),
      "203.0.113.7 (proxied)");
}

TEST(Forwarded, OnlyTheConfiguredHeaderOfATrustedPeerCounts) {
  const Headers both{{"x-forwarded-for", "1.1.1.1"}, {"forwarded", "for=2.2.2.2"}};
  EXPECT_EQ(client(ProxyHeader::kXForwardedFor, both), "1.1.1.1 (proxied)");
  EXPECT_EQ(client(ProxyHeader::kForwarded, both), "2.2.2.2 (proxied)");
  EXPECT_EQ(client(ProxyHeader::kNone, both), "10.0.0.1:9");
  EXPECT_EQ(client(ProxyHeader::kForwarded, both, "203.0.113.9"), "203.0.113.9:9");
  EXPECT_EQ(client(ProxyHeader::kForwarded, {{"forwarded", "nonsense"}}, "203.0.113.9"), "203.0.113.9:9");
  EXPECT_EQ(client(ProxyHeader::kForwarded, {}), "10.0.0.1:9") << "the proxy itself asks";
  EXPECT_EQ(client(ProxyHeader::kForwarded, {{"forwarded", ""}}), "10.0.0.1:9");
}

}  // namespace
}  // namespace tickwire
