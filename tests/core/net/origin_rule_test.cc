#include "net/origin_rule.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace tickwire {
namespace {

const Site kPublic{"ticks.example:8080", false, Transport::kPlain};
const Site kLoopback{"127.0.0.1:8080", true, Transport::kPlain};
const std::vector<std::string> kDefault{"same-host"};

bool allowed(const std::string& origin, const std::vector<std::string>& origins, const Site& site = kPublic) {
  const auto refusal = check_origin(origin, origins, site);
  if (refusal) {
    EXPECT_EQ(refusal->status, 403);
    EXPECT_EQ(refusal->error.field, "Origin");
    EXPECT_NE(refusal->error.message.find("server.origins"), std::string::npos);
  }
  return !refusal;
}

TEST(OriginRule, WhoSendsNoneIsNoPage) {
  EXPECT_FALSE(check_origin(std::nullopt, {}, kPublic));
}

TEST(OriginRule, APageIsNamedByAnEntryOfItsOwnAndNeitherByTheStarNorAsNull) {
  const std::string page = "http://ticks.example:8080";
  EXPECT_FALSE(is_named_page(std::nullopt, {"*", "null", "same-host"}, kPublic));
  EXPECT_TRUE(is_named_page(page, {"same-host"}, kPublic));
  EXPECT_TRUE(is_named_page("HTTPS://A.Example", {"*", "https://a.example"}, kPublic));
  EXPECT_TRUE(is_named_page("https://b.a.example", {"https://*.a.example"}, kPublic));
  EXPECT_FALSE(is_named_page("https://a.example", {"https://*.a.example"}, kPublic));
  EXPECT_FALSE(is_named_page(page, {"*"}, kPublic));
  for (const char* any : {"null", "*", "", "NULL"}) {
    EXPECT_FALSE(is_named_page(any, {"*", "null", "same-host"}, kPublic)) << any;
  }
}

TEST(OriginRule, ByDefaultThePageComesFromTheSameHostAndPort) {
  EXPECT_EQ(NetConfig{}.origins, kDefault);
  EXPECT_TRUE(allowed("http://ticks.example:8080", kDefault));
  EXPECT_TRUE(allowed("HTTP://Ticks.Example:8080", kDefault));
  EXPECT_TRUE(allowed("https://ticks.example:8080", kDefault)) << "a proxy in front may have TLS";
  for (const char* origin :
       {"http://ticks.example", "http://ticks.example:81", "http://a.ticks.example:8080",
        "http://ticks.example.evil:8080", "http://localhost:8080", "null", "", "ticks.example:8080",
        "http://ticks.example:8080/", "ftp://ticks.example:8080", "http://u@ticks.example:8080"}) {
    EXPECT_FALSE(allowed(origin, kDefault)) << origin;
  }
}

TEST(OriginRule, APortThatIsNotWrittenIsThatOfThePagesScheme) {
  const Site site{"ticks.example", false, Transport::kPlain};
  EXPECT_TRUE(allowed("http://ticks.example", kDefault, site));
  EXPECT_TRUE(allowed("https://ticks.example", kDefault, site));
  EXPECT_TRUE(allowed("https://ticks.example", kDefault, {"ticks.example:443", false, Transport::kPlain}));
  EXPECT_FALSE(allowed("http://ticks.example", kDefault, {"ticks.example:443", false, Transport::kPlain}));
}

TEST(OriginRule, ThePageOfAServerWithTlsHasItToo) {
  const Site site{"ticks.example", false, Transport::kTls};
  EXPECT_TRUE(allowed("https://ticks.example", kDefault, site));
  EXPECT_FALSE(allowed("http://ticks.example", kDefault, site));
}

TEST(OriginRule, AtLoopbackEveryPageOfLoopbackMay) {
  for (const char* origin : {"http://localhost:5500", "http://127.0.0.1:8080", "https://app.localhost",
                             "http://[::1]:3", "http://127.3.2.1"}) {
    EXPECT_TRUE(allowed(origin, kDefault, kLoopback)) << origin;
    EXPECT_FALSE(allowed(origin, kDefault, kPublic)) << origin;
    EXPECT_FALSE(allowed(origin, kDefault, {"ticks.example", true, Transport::kPlain}))
        << origin << ": a proxy in front serves it to other machines";
  }
  for (const char* origin : {"http://evil.example", "http://localhost.evil.example", "null", "file://"}) {
    EXPECT_FALSE(allowed(origin, kDefault, kLoopback)) << origin;
  }
}

TEST(OriginRule, AListReplacesTheDefault) {
  const std::vector<std::string> list{"https://shop.example", "http://localhost:3000"};
  EXPECT_TRUE(allowed("https://shop.example", list));
  EXPECT_TRUE(allowed("HTTPS://Shop.example", list));
  EXPECT_TRUE(allowed("http://localhost:3000", list));
  for (const char* origin : {"https://shop.example.evil", "https://a.shop.example", "http://shop.example", "",
                             "https://shop.example:444", "http://ticks.example:8080"}) {
    EXPECT_FALSE(allowed(origin, list)) << origin;
  }
  EXPECT_TRUE(allowed("http://ticks.example:8080", {"https://shop.example", "same-host"}));
  EXPECT_FALSE(allowed("https://shop.example", {}));
}

TEST(OriginRule, AStarStandsForNamesBelowAHost) {
  const std::vector<std::string> list{"https://*.shop.example", "http://*.dev.example:8443"};
  EXPECT_TRUE(allowed("https://a.shop.example", list));
  EXPECT_TRUE(allowed("https://a.b-c.shop.example", list));
  EXPECT_TRUE(allowed("http://x.dev.example:8443", list));
  for (const char* origin :
       {"https://shop.example", "https://.shop.example", "https://evilshop.example", "http://a.shop.example",
        "https://a.shop.example:8443", "http://x.dev.example", "https://evil.example/.shop.example",
        "https://evil.example#.shop.example", "https://u@evil:1.shop.example"}) {
    EXPECT_FALSE(allowed(origin, list)) << origin;
  }
}

TEST(OriginRule, NullMustBeListedAndEveryOriginIncludesIt) {
  const auto refusal = check_origin("null", kDefault, kLoopback);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->error.message,
            "Origin: null (a page from a file or in a sandbox) is allowed only where server.origins lists "
            "\"null\"");
  EXPECT_TRUE(allowed("null", {"null"}));
  EXPECT_TRUE(allowed("null", {"*"}));
  EXPECT_TRUE(allowed("https://anywhere.example", {"*"}));
  EXPECT_TRUE(allowed("", {"*"}));
}

}  // namespace
}  // namespace tickwire
