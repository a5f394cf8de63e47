#include "net/identity.h"

#include <gtest/gtest.h>

#include <string>

#include "net/header_text.h"

namespace tickwire {
namespace {

const IdentityRules kRules{"token", {"x-user", "user-agent"}, {"sid", "theme"}};

RequestHead head_of(const std::string& lines, const std::string& target = "/ws") {
  const std::string text = "GET " + target + " HTTP/1.1\r\nHost: a\r\n" + lines + "\r\n";
  return std::get<RequestHead>(parse_request_head(text));
}

Identity identified(const std::string& lines, bool by_name = true, const std::string& target = "/ws") {
  return std::get<Identity>(identify(head_of(lines, target), kRules, by_name));
}

std::string token_of(const std::string& lines, bool by_name = true, const std::string& target = "/ws") {
  return identified(lines, by_name, target).token;
}

TEST(Identity, ATokenIsTakenFromTheHeaderThenTheParameterThenTheCookie) {
  EXPECT_EQ(token_of(""), "");
  EXPECT_EQ(token_of("Authorization: Bearer a.b.c\r\n"), "a.b.c");
  EXPECT_EQ(token_of("authorization:bEARER   a.b.c  \r\n"), "a.b.c");
  EXPECT_EQ(token_of("Cookie: token=c\r\n"), "c");
  EXPECT_EQ(token_of("Cookie: token=c\r\n", true, "/ws?token=q"), "q");
  EXPECT_EQ(token_of("Cookie: token=c\r\nAuthorization: Bearer h\r\n", true, "/ws?token=q"), "h");
}

TEST(Identity, AnotherSchemeIsNoToken) {
  for (const std::string scheme : {"Basic YTpi", "Bearer", "Bearer ", "Bearera b", "Digest Bearer x", ""}) {
    EXPECT_EQ(token_of("Authorization: " + scheme + "\r\n"), "") << scheme;
  }
}

TEST(Identity, CookiesCountOnlyForAPageThatIsAllowedByName) {
  const std::string line = "Cookie: token=c; sid=s\r\n";
  const Identity named = identified(line);
  EXPECT_EQ(named.token, "c");
  ASSERT_NE(named.request, nullptr);
  EXPECT_EQ(named.request->cookies, (ClientRequest::Fields{{"sid", "s"}}));
  const Identity other = identified(line, false);
  EXPECT_EQ(other.token, "");
  EXPECT_EQ(other.request, nullptr);
}

TEST(Identity, CookiesAreReadAsTheyWereSent) {
  EXPECT_EQ(token_of("Cookie: a=1; token=x=y== ;b=2\r\n"), "x=y==");
  EXPECT_EQ(token_of("Cookie: token=\"q\"\r\n"), "\"q\"");
  EXPECT_EQ(token_of("Cookie: Token=upper; xtoken=1; token\r\n"), "") << "names are exact";
  EXPECT_EQ(token_of("Cookie: ;;= ;=x; token=\r\n"), "");
  EXPECT_EQ(token_of("Cookie: a=1\r\nCookie: token=t\r\n"), "t") << "HTTP/2 proxies split the header";
}

TEST(Identity, ACookieThatCountsAndIsThereTwiceIsRefused) {
  for (const std::string lines :
       {"Cookie: token=a; token=b\r\n", "Cookie: token=a; token=a\r\n", "Cookie: sid=a; x=1; sid=b\r\n",
        "Cookie: token=a\r\nCookie: token=b\r\n"}) {
    const auto found = identify(head_of(lines), kRules, true);
    const auto* refusal = std::get_if<Refusal>(&found);
    ASSERT_NE(refusal, nullptr) << lines;
    EXPECT_EQ(refusal->status, 400);
    EXPECT_EQ(refusal->error.field, "Cookie");
    EXPECT_TRUE(std::holds_alternative<Identity>(identify(head_of(lines), kRules, false))) << lines;
  }
  EXPECT_EQ(token_of("Cookie: other=1; other=2; token=t\r\n"), "t") << "it does not count";
}

TEST(Identity, PluginsSeeTheHeadersThatAreListedAndNoOthers) {
  const Identity found = identified("X-User: mia\r\nX-Other: secret\r\nUser-Agent: a\r\nuser-agent: b\r\n");
  ASSERT_NE(found.request, nullptr);
  EXPECT_EQ(found.request->headers, (ClientRequest::Fields{{"x-user", "mia"}, {"user-agent", "a, b"}}));
  EXPECT_TRUE(found.request->cookies.empty());
}

TEST(Identity, WithoutRulesNothingIsKept) {
  const auto head = head_of("Cookie: token=c; =x\r\nX-User: mia\r\n");
  const auto found = std::get<Identity>(identify(head, {}, true));
  EXPECT_EQ(found.token, "");
  EXPECT_EQ(found.request, nullptr);
}

TEST(Identity, AFieldNameIsATokenOfHttp) {
  for (const std::string_view good : {"a", "__Host-token", "X-User", "a.b~c|d"}) EXPECT_TRUE(is_token(good));
  for (const std::string_view bad : {"", "a b", "a;b", "a=b", "a:b", "\xC3\xA4", "a\n", "\"a\""}) {
    EXPECT_FALSE(is_token(bad)) << bad;
  }
}

}  // namespace
}  // namespace tickwire
