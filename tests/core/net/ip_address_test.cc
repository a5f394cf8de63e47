#include "net/ip_address.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace tickwire {
namespace {

bool holds(std::string_view network, std::string_view address) {
  const auto parsed = IpNetwork::parse(network);
  EXPECT_TRUE(parsed.ok()) << network;
  return parsed.ok() && parsed->holds(*IpAddress::parse(address));
}

TEST(IpAddress, IsReadStrictlyAndWrittenInOneSpelling) {
  const std::vector<std::pair<std::string, std::string>> cases{{"192.0.2.1", "192.0.2.1"},
                                                               {"::ffff:192.0.2.1", "192.0.2.1"},
                                                               {"2001:DB8:0:0::1", "2001:db8::1"},
                                                               {"::1", "::1"}};
  for (const auto& [text, written] : cases) {
    const auto address = IpAddress::parse(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->text(), written);
  }
  for (const std::string& text :
       {std::string(""), std::string("1.2.3"), std::string("1.2.3.4.5"), std::string("01.2.3.4"),
        std::string("1.2.3.256"), std::string("[::1]"), std::string("::1%lo"), std::string("1.2.3.4 "),
        std::string("1.2.3.4\0", 8), std::string(":::"), std::string(300, '1')}) {
    EXPECT_FALSE(IpAddress::parse(text)) << text;
  }
}

TEST(IpAddress, KnowsLoopback) {
  for (const char* text : {"127.0.0.1", "127.255.0.9", "::1", "::ffff:127.0.0.1"}) {
    EXPECT_TRUE(IpAddress::parse(text)->is_loopback()) << text;
  }
  for (const char* text : {"128.0.0.1", "0.0.0.0", "::", "::2", "1::1"}) {
    EXPECT_FALSE(IpAddress::parse(text)->is_loopback()) << text;
  }
}

TEST(IpNetwork, HoldsTheAddressesThatBeginAsItDoes) {
  EXPECT_TRUE(holds("10.0.0.0/8", "10.255.255.255"));
  EXPECT_FALSE(holds("10.0.0.0/8", "11.0.0.0"));
  EXPECT_TRUE(holds("10.1.2.0/23", "10.1.3.255")) << "in the middle of a byte";
  EXPECT_FALSE(holds("10.1.2.0/23", "10.1.4.0"));
  EXPECT_TRUE(holds("10.1.2.3", "10.1.2.3"));
  EXPECT_FALSE(holds("10.1.2.3", "10.1.2.2"));
  EXPECT_TRUE(holds("10.0.0.0/8", "::ffff:10.1.1.1")) << "as a socket of both families tells it";
  EXPECT_TRUE(holds("2001:db8::/33", "2001:db8:7fff::1"));
  EXPECT_FALSE(holds("2001:db8::/33", "2001:db8:8000::1"));
  EXPECT_TRUE(holds("::1", "::1"));
  EXPECT_TRUE(holds("0.0.0.0/0", "203.0.113.9"));
  EXPECT_FALSE(holds("0.0.0.0/0", "2001:db8::1"));
  EXPECT_TRUE(holds("::/0", "2001:db8::1"));
  EXPECT_FALSE(holds("::/0", "203.0.113.9")) << "another family";
  EXPECT_TRUE(holds("::ffff:10.0.0.0/104", "10.9.9.9"));
}

TEST(IpNetwork, AWrongOneSaysWhatIsWrong) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"", "has no IPv4 or IPv6 address"},
      {"proxy.example", "has no IPv4 or IPv6 address"},
      {"10.0.0/8", "has no IPv4 or IPv6 address"},
      {"[::1]", "has no IPv4 or IPv6 address"},
      {"10.0.0.0/", "has no number of bits from 0 to 32"},
      {"10.0.0.0/33", "has no number of bits from 0 to 32"},
      {"10.0.0.0/-1", "has no number of bits from 0 to 32"},
      {"10.0.0.0/08", "has no number of bits from 0 to 32"},
      {"10.0.0.0/255.0.0.0", "has no number of bits from 0 to 32"},
      {"2001:db8::/129", "has no number of bits from 0 to 128"},
      {"10.0.0.1/8", "\"10.0.0.0/8\" is meant?"},
      {"2001:db8::1/32", "\"2001:db8::/32\" is meant?"},
      {"::ffff:0.0.0.0/90", "mixes IPv4 and IPv6"},
  };
  for (const auto& [text, why] : cases) {
    const auto network = IpNetwork::parse(text);
    ASSERT_FALSE(network.ok()) << text;
    EXPECT_EQ(network.error().code, ErrorCode::kBadConfig);
    EXPECT_NE(network.error().message.find(why), std::string::npos) << network.error().message;
    EXPECT_NE(network.error().message.find('"' + text + '"'), std::string::npos) << network.error().message;
  }
}

TEST(Port, IsANumberWithOneSpelling) {
  EXPECT_EQ(parse_port("0"), 0);
  EXPECT_EQ(parse_port("65535"), 65535);
  for (const char* text : {"", "65536", "-1", "+1", "080", "8x", " 8"})
    EXPECT_FALSE(parse_port(text)) << text;
}

}  // namespace
}  // namespace tickwire
