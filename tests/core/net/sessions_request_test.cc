#include "net/sessions_request.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cstring>
#include <string>
#include <utility>

#include "net/socket_address.h"

namespace tickwire {
namespace {

HttpRequest from_here(const std::string& host = "127.0.0.1:8080") {
  HttpRequest request;
  request.from_loopback = true;
  request.host = host;
  return request;
}

HttpRequest from_afar(const std::string& authorization) {
  HttpRequest request;
  request.host = "plant.example:8080";
  request.authorization = authorization;
  return request;
}

bool allowed(const HttpRequest& request, std::string_view admin_token = "") {
  const auto query = read_sessions_request(request, admin_token);
  if (!query) {
    EXPECT_EQ(query.error().code, ErrorCode::kDenied) << query.error().message;
  }
  return query.ok();
}

TEST(SessionsRequest, IsForClientsOnThisMachine) {
  for (const char* host : {"127.0.0.1:8080", "127.0.0.1", "localhost:1", "LOCALHOST", "[::1]:8080"}) {
    EXPECT_TRUE(allowed(from_here(host))) << host;
  }
  EXPECT_FALSE(allowed(from_afar("")));
}

TEST(SessionsRequest, IsNotForAPageWhoseNameLeadsHereNorThroughAProxy) {
  for (const char* host : {"evil.example:8080", "127.evil.example", "127.0.0.1.evil.example:80", "[::2]:8080",
                           "localhost.evil.example", "[", ":8080", ""}) {
    EXPECT_FALSE(allowed(from_here(host))) << host;
  }
  HttpRequest proxied = from_here();
  proxied.forwarded = true;
  EXPECT_FALSE(allowed(proxied));
}

TEST(SessionsRequest, IsForWhoSendsTheAdminToken) {
  EXPECT_TRUE(allowed(from_afar("Bearer s3cret"), "s3cret"));
  EXPECT_TRUE(allowed(from_afar("bearer s3cret"), "s3cret"));
  for (const char* authorization :
       {"", "Bearer", "Bearer ", "Bearer s3cre", "Bearer s3cret2", "Bearer S3cret", "Bearer s3crets3cret",
        "s3cret", "Basic s3cret", "Bearer  s3cret"}) {
    EXPECT_FALSE(allowed(from_afar(authorization), "s3cret")) << authorization;
  }
  EXPECT_TRUE(allowed(from_here(), "s3cret")) << "here it takes none";
}

TEST(SessionsRequest, NoTokenOpensItWhereNoneIsConfigured) {
  EXPECT_FALSE(allowed(from_afar("Bearer "), ""));
  EXPECT_FALSE(allowed(from_afar("Bearer x"), ""));
}

std::string wrong(const std::string& name, const std::string& value) {
  HttpRequest request = from_here();
  request.query = {{name, value}};
  const auto query = read_sessions_request(request, "");
  if (query) return "";
  EXPECT_EQ(query.error().code, ErrorCode::kBadMessage);
  EXPECT_EQ(query.error().field, name);
  return query.error().message;
}

TEST(SessionsRequest, LimitIsCheckedAtItsEnds) {
  EXPECT_EQ(wrong("limit", "1"), "");
  EXPECT_EQ(wrong("limit", std::to_string(kListSessionsMax)), "");
  EXPECT_EQ(wrong("limit", std::to_string(kListSessionsMax + 1)), "limit: must be 1 to 10000, not 10001");
  EXPECT_EQ(wrong("limit", "0"), "limit: must be 1 to 10000, not 0");
  EXPECT_EQ(read_sessions_request(from_here(), "")->limit, kListSessionsDefault);
}

TEST(SessionsRequest, SortIsTheNameOfANumber) {
  for (const auto& [name, number] : kSessionNumbers) {
    HttpRequest request = from_here();
    request.query = {{"sort", std::string(name)}};
    EXPECT_EQ(read_sessions_request(request, "")->sort, number) << name;
  }
  EXPECT_NE(wrong("sort", "remote").find("must be one of connected_s, exact, "), std::string::npos);
  EXPECT_NE(wrong("sort", "remote").find(", not remote"), std::string::npos);
  EXPECT_EQ(read_sessions_request(from_here(), "")->sort, &SessionReport::behind);
}

bool loopback(int family, const char* text) {
  sockaddr_storage address{};
  address.ss_family = static_cast<sa_family_t>(family);
  void* const to = family == AF_INET
                       ? static_cast<void*>(&reinterpret_cast<sockaddr_in&>(address).sin_addr)
                       : static_cast<void*>(&reinterpret_cast<sockaddr_in6&>(address).sin6_addr);
  EXPECT_EQ(::inet_pton(family, text, to), 1) << text;
  return is_loopback(address);
}

TEST(SocketAddress, KnowsLoopbackByNumber) {
  for (const char* text : {"127.0.0.1", "127.255.255.254"}) EXPECT_TRUE(loopback(AF_INET, text)) << text;
  for (const char* text : {"126.255.255.255", "128.0.0.1", "10.0.0.127", "0.0.0.0"}) {
    EXPECT_FALSE(loopback(AF_INET, text)) << text;
  }
  for (const char* text : {"::1", "::ffff:127.0.0.1"}) EXPECT_TRUE(loopback(AF_INET6, text)) << text;
  for (const char* text : {"::", "::2", "fe80::1", "::ffff:10.0.0.1", "7f00::1"}) {
    EXPECT_FALSE(loopback(AF_INET6, text)) << text;
  }
  EXPECT_FALSE(is_loopback_peer(-1));
}

}  // namespace
}  // namespace tickwire
