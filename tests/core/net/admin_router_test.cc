#include "net/admin_router.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "fakes/fake_access.h"
#include "fakes/fake_clock.h"

namespace tickwire {
namespace {

class NamingSource final : public HttpSource {
 public:
  [[nodiscard]] HealthAnswer health(HealthDetail detail) const override {
    return {true, detail == HealthDetail::kAll ? R"({"plugins":{"secret_feed":{}}})" : "{}"};
  }
  [[nodiscard]] TextInPieces metrics() const override {
    return [](const Budget&) { return std::optional<std::string>("tickwire_sessions 1\n"); };
  }
  [[nodiscard]] bool serves() const override { return true; }
  [[nodiscard]] std::string halts() const override { return "{}"; }
  void list_sessions(const SessionsQuery& /*query*/, std::function<void(std::string)> /*done*/) override {}
  void act(const AdminAction& /*action*/, const AdminActor& /*by*/, AdminDone /*done*/) override {}
};

struct AdminSite {
  explicit AdminSite(std::string token = "") : admin(site, std::move(token)) {}

  [[nodiscard]] bool admits(const HttpRequest& request, Door door) const {
    const AdminRouter::Answer answer = admin.answer(request, door, false);
    const auto* response = std::get_if<HttpResponse>(&answer);
    if (response == nullptr) return true;
    EXPECT_EQ(response->status, 403) << response->head;
    EXPECT_EQ(response->readers, Readers::kNoPage);
    return false;
  }

  FakeClock clock;
  FakeAccess access;
  NamingSource source;
  Hub hub{clock, {}};
  const std::vector<StaticFile> files{{"admin.html", "<h1>Admin", "t1"}, {"index.html", "<h1>Topics", "t2"}};
  HttpRouter site{{hub, access, source, files}};
  AdminRouter admin;
};

HttpRequest sessions_request(const std::string& authorization = "",
                             const std::string& host = "127.0.0.1:9180") {
  HttpRequest request;
  request.method = "GET";
  request.path = "/v1/sessions";
  request.host = host;
  request.authorization = authorization;
  return request;
}

TEST(AdminRouter, TheSocketTakesNoToken) {
  const AdminSite site;
  EXPECT_TRUE(site.admits(sessions_request(), Door::kAdminSocket));
  EXPECT_TRUE(site.admits(sessions_request("", "anything"), Door::kAdminSocket));
}

TEST(AdminRouter, TcpTakesTheTokenAlsoFromThisMachine) {
  const AdminSite site("s3cret");
  EXPECT_TRUE(site.admits(sessions_request("Bearer s3cret"), Door::kAdminTcp));
  EXPECT_TRUE(site.admits(sessions_request("bearer s3cret"), Door::kAdminTcp));
  EXPECT_TRUE(site.admits(sessions_request("Bearer  s3cret"), Door::kAdminTcp));  // RFC 6750: 1*SP
  for (const char* authorization : {"", "Bearer", "Bearer ", "Bearer s3cre", "Bearer s3cret2",
                                    "Bearer S3cret", "Bearer s3crets3cret", "s3cret", "Basic s3cret"}) {
    EXPECT_FALSE(site.admits(sessions_request(authorization), Door::kAdminTcp)) << authorization;
  }
}

TEST(AdminRouter, NoTokenOpensTcpWhereNoneIsConfigured) {
  const AdminSite site;
  EXPECT_FALSE(site.admits(sessions_request("Bearer "), Door::kAdminTcp));
  EXPECT_FALSE(site.admits(sessions_request("Bearer x"), Door::kAdminTcp));
}

TEST(AdminRouter, TcpIsForAddressesAsNoPageCanMakeOneLeadHere) {
  const AdminSite site("s3cret");
  for (const char* host :
       {"127.0.0.1:9180", "127.0.0.1", "10.1.2.3:1", "localhost:1", "LOCALHOST", "[::1]:9180", "[fe80::1]"}) {
    EXPECT_TRUE(site.admits(sessions_request("Bearer s3cret", host), Door::kAdminTcp)) << host;
  }
  for (const char* host :
       {"evil.example:9180", "127.evil.example", "127.0.0.1.evil.example:80", "", "localhost.evil.example",
        "[", "[]", "[::1", "[::1]x", ":9180", "127.0.0.1:x", "127.0.0.1:", "127.1", "2130706433", "::1"}) {
    EXPECT_FALSE(site.admits(sessions_request("Bearer s3cret", host), Door::kAdminTcp)) << host;
  }
}

TEST(AdminRouter, OfAllPagesOnlyItsOwnIsAnsweredAndThatNotByTheSocket) {
  const AdminSite site("s3cret");
  HttpRequest request = sessions_request("Bearer s3cret", "127.0.0.1:9180");
  for (const char* origin : {"http://127.0.0.1:8080", "http://127.0.0.1", "http://localhost:9180",
                             "https://evil.example", "null", ""}) {
    request.origin = origin;
    EXPECT_FALSE(site.admits(request, Door::kAdminTcp)) << origin;
    EXPECT_FALSE(site.admits(request, Door::kAdminSocket)) << origin;
  }
  request.origin = "http://127.0.0.1:9180";
  EXPECT_TRUE(site.admits(request, Door::kAdminTcp));
  EXPECT_FALSE(site.admits(request, Door::kAdminSocket));
  EXPECT_FALSE(site.admits(sessions_request("", "127.0.0.1:9180"), Door::kAdminTcp)) << "without the token";

  request.host = "evil.example:9180";  // a name that a page made to lead here
  request.origin = "http://evil.example:9180";
  EXPECT_FALSE(site.admits(request, Door::kAdminTcp));
}

TEST(AdminRouter, HealthIsToldInFullHereAndWithoutNamesToEverybody) {
  const AdminSite site;
  HttpRequest request = sessions_request();
  request.path = "/health";
  const auto told = std::get<HttpResponse>(site.admin.answer(request, Door::kAdminSocket, false));
  EXPECT_NE(told.head.find("secret_feed"), std::string::npos);
  EXPECT_EQ(told.readers, Readers::kNoPage);
  EXPECT_EQ(std::get<HttpResponse>(site.site.answer(request, false)).head, "{}");
}

TEST(AdminRouter, ItsPageNeedsNoTokenButAnAddressAndNoOtherSite) {
  const AdminSite site("s3cret");
  HttpRequest request = sessions_request();
  request.path = "/";
  const auto page = std::get<HttpResponse>(site.admin.answer(request, Door::kAdminTcp, false));
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.shared, "<h1>Admin");
  EXPECT_EQ(page.readers, Readers::kNoPage);
  EXPECT_NE(page.headers.find("frame-ancestors 'none'"), std::string::npos);
  EXPECT_EQ(std::get<HttpResponse>(site.site.answer(request, false)).shared, "<h1>Topics")
      << "the public port";

  request.path = "/none";
  EXPECT_FALSE(site.admits(request, Door::kAdminTcp)) << "what is no file needs the token";
  request.path = "/";
  request.host = "evil.example";
  EXPECT_FALSE(site.admits(request, Door::kAdminTcp));
  request.host = "127.0.0.1:9180";
  request.origin = "http://127.0.0.1:9180";  // browsers say it of a page's own modules
  EXPECT_EQ(std::get<HttpResponse>(site.admin.answer(request, Door::kAdminTcp, false)).status, 200);
}

TEST(AdminRouter, SessionsAreToldWhileDraining) {
  const AdminSite site;
  const AdminRouter::Answer answer = site.admin.answer(sessions_request(), Door::kAdminSocket, true);
  EXPECT_TRUE(std::holds_alternative<SessionsQuery>(answer));
}

TEST(AdminRouter, WhatThePublicPortTellsIsToldHereTooButToNoOtherOrigin) {
  const AdminSite site;
  HttpRequest request = sessions_request();
  request.path = "/v1/topics";
  const auto topics = std::get<ReadRequest>(site.admin.answer(request, Door::kAdminSocket, false));
  const auto pieces = std::get<AnswerInPieces>(topics.then({}));
  const auto told = pieces(Budget::unlimited()).value();
  EXPECT_EQ(told.status, 200);
  EXPECT_EQ(told.readers, Readers::kNoPage);
  request.path = "/v1/snapshot/a.b";
  const auto snapshot = std::get<ReadRequest>(site.admin.answer(request, Door::kAdminSocket, false));
  const auto unknown = std::get<HttpResponse>(snapshot.then({Grant{}}));
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(unknown.readers, Readers::kNoPage);
  request.method = "POST";
  EXPECT_EQ(std::get<HttpResponse>(site.admin.answer(request, Door::kAdminSocket, false)).status, 405);
}

std::string wrong(const std::string& name, const std::string& value) {
  HttpRequest request = sessions_request();
  request.query = {{name, value}};
  const auto query = read_sessions_query(request);
  if (query) return "";
  EXPECT_EQ(query.error().code, ErrorCode::kBadMessage);
  EXPECT_EQ(query.error().field, name);
  return query.error().message;
}

TEST(SessionsQuery, LimitIsCheckedAtItsEnds) {
  EXPECT_EQ(wrong("limit", "1"), "");
  EXPECT_EQ(wrong("limit", std::to_string(kListSessionsMax)), "");
  EXPECT_EQ(wrong("limit", std::to_string(kListSessionsMax + 1)), "limit: must be 1 to 10000, not 10001");
  EXPECT_EQ(wrong("limit", "0"), "limit: must be 1 to 10000, not 0");
  EXPECT_EQ(read_sessions_query(sessions_request())->limit, kListSessionsDefault);
}

TEST(SessionsQuery, SortIsTheNameOfANumber) {
  for (const auto& [name, number] : kSessionNumbers) {
    HttpRequest request = sessions_request();
    request.query = {{"sort", std::string(name)}};
    EXPECT_EQ(read_sessions_query(request)->sort, number) << name;
  }
  EXPECT_NE(wrong("sort", "remote").find("must be one of connected_s, exact, "), std::string::npos);
  EXPECT_NE(wrong("sort", "remote").find(", not remote"), std::string::npos);
  EXPECT_EQ(read_sessions_query(sessions_request())->sort, &SessionReport::behind);
}

}  // namespace
}  // namespace tickwire
