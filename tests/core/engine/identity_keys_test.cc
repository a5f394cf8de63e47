#include <algorithm>
#include <string>
#include <vector>

#include "config_fixture.h"

namespace tickwire {
namespace {

using Lines = std::vector<std::string>;

TEST(IdentityKeys, NamesOfHeadersAreBroughtToLowerCase) {
  const auto config = load_sets({R"(auth.client_headers=["X-User", "user-agent"])"});
  ASSERT_TRUE(config) << message_of(config);
  EXPECT_EQ(config->auth_client_headers, (Lines{"x-user", "user-agent"}));
  EXPECT_TRUE(config->warnings.empty());
}

TEST(IdentityKeys, WhatIsNoNameIsRefused) {
  for (const std::string set :
       {"auth.token_cookie=a b", "auth.token_cookie=a=b", R"(auth.client_cookies=["a;"])",
        R"(auth.client_headers=["x:"])", R"(auth.client_headers=[""])"}) {
    const std::string message = message_of(load_sets({set}));
    EXPECT_NE(message.find(set.substr(0, set.find('='))), std::string::npos) << message;
    EXPECT_NE(message.find("is no name"), std::string::npos) << message;
  }
  EXPECT_NE(message_of(load_sets({R"(auth.client_headers=["Cookie"])"})).find("auth.client_cookies"),
            std::string::npos);
}

TEST(IdentityKeys, CookiesThatCanNeverCountAreWarnedOf) {
  const auto warned = [](const std::string& origins) {
    const auto config = load_sets({"auth.token_cookie=token", "server.origins=" + origins});
    return std::ranges::any_of(config->warnings, [](const std::string& warning) {
      return warning.find("cookies never count") != std::string::npos;
    });
  };
  EXPECT_TRUE(warned(R"(["*"])"));
  EXPECT_TRUE(warned(R"(["*", "null"])"));
  EXPECT_TRUE(warned("[]"));
  EXPECT_FALSE(warned(R"(["same-host"])"));
  EXPECT_FALSE(warned(R"(["*", "https://a.example"])"));
}

}  // namespace
}  // namespace tickwire
