#include "net/host_rule.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tickwire {
namespace {

bool served(const std::string& host, const std::vector<std::string>& hosts, bool loopback) {
  const auto refusal = check_host(host, hosts, loopback);
  if (refusal) {
    EXPECT_EQ(refusal->status, 421);
    EXPECT_EQ(refusal->error.field, "Host");
    EXPECT_NE(refusal->error.message.find("server.hosts"), std::string::npos);
  }
  return !refusal;
}

TEST(HostRule, AListenerOnLoopbackServesNamesOfLoopback) {
  for (const char* host : {"localhost", "LOCALHOST:8080", "localhost.", "a.b.localhost:1", "127.0.0.1",
                           "127.1.2.3:99", "[::1]", "[::1]:8080", "[0:0::1]", "[::ffff:127.0.0.1]", ""}) {
    EXPECT_TRUE(served(host, {}, true)) << host;
  }
  for (const char* host : {"evil.example",
                           "evil.example:8080",
                           "localhost.evil.example",
                           "notlocalhost",
                           ".localhost",
                           "128.0.0.1",
                           "127.0.0.1.evil.example",
                           "127.1",
                           "0.0.0.0",
                           "[::2]",
                           "[::1",
                           "[::1]x",
                           "::1",
                           "localhost:",
                           "localhost:x",
                           "localhost:65536",
                           "localhost:1:2",
                           "[127.0.0.1]",
                           "..",
                           "localhost.."}) {
    EXPECT_FALSE(served(host, {}, true)) << host;
  }
}

TEST(HostRule, AListedNameIsServedAtLoopbackToo) {
  EXPECT_TRUE(served("Ticks.example:443", {"ticks.example"}, true));
  EXPECT_TRUE(served("localhost", {"ticks.example"}, true));
  EXPECT_FALSE(served("a.ticks.example", {"ticks.example"}, true));
}

TEST(HostRule, AnotherListenerServesWhatIsListedAndAnyWhereNothingIs) {
  EXPECT_TRUE(served("whatever.example", {}, false));
  EXPECT_TRUE(served("ticks.example", {"other.example", "ticks.example"}, false));
  EXPECT_TRUE(served("a.b.ticks.example:8443", {"*.ticks.example"}, false));
  EXPECT_FALSE(served("ticks.example", {"*.ticks.example"}, false));
  EXPECT_FALSE(served("eviticks.example", {"*.ticks.example"}, false));
  EXPECT_FALSE(served("localhost", {"ticks.example"}, false));
  EXPECT_TRUE(served("[2001:DB8::1]:80", {"[2001:db8::1]"}, false));
  EXPECT_TRUE(served("", {"ticks.example"}, false)) << "HTTP/1.0, which no browser speaks";
}

TEST(Authority, IsANameAndMaybeAPort) {
  const auto authority = parse_authority("A.Example.:8080");
  ASSERT_TRUE(authority);
  EXPECT_EQ(authority->name, "a.example");
  EXPECT_EQ(authority->port, 8080);
  EXPECT_EQ(parse_authority("[2001:DB8::0:1]")->name, "[2001:db8::1]");
  EXPECT_EQ(parse_authority("a")->port, std::nullopt);
  for (const char* text : {"", ":80", "a b", "a/b", "a@b", "[a]", "[]", "a:b", "a:80:80", "."}) {
    EXPECT_FALSE(parse_authority(text)) << text;
  }
}

}  // namespace
}  // namespace tickwire
