#include "net/admin_request.h"

#include <gtest/gtest.h>

#include <string>

namespace tickwire {
namespace {

RequestHead head(const std::string& method, const std::string& type, std::uint64_t body_bytes = 2) {
  RequestHead made;
  made.method = method;
  made.body_bytes = body_bytes;
  made.headers = {{"content-length", std::to_string(body_bytes)}};
  if (!type.empty()) made.headers.emplace_back("content-type", type);
  return made;
}

int status_of(const RequestHead& made) {
  const auto wrong = check_action(made);
  return wrong ? wrong->status : 200;
}

TEST(AdminRequest, IsAPostOfBoundedJson) {
  EXPECT_EQ(status_of(head("POST", "application/json")), 200);
  EXPECT_EQ(status_of(head("POST", " Application/JSON ; charset=utf-8")), 200);
  EXPECT_EQ(status_of(head("GET", "application/json")), 405);
  EXPECT_EQ(status_of(head("POST", "")), 415);
  EXPECT_EQ(status_of(head("POST", "text/plain;application/json")), 415);
  EXPECT_EQ(status_of(head("POST", "application/json", kAdminBodyBytesMax)), 200);
  EXPECT_EQ(status_of(head("POST", "application/json", kAdminBodyBytesMax + 1)), 413);
  RequestHead chunked = head("POST", "application/json");
  chunked.chunked = true;
  EXPECT_EQ(status_of(chunked), 411);
}

Result<AdminAction> read(std::string_view path, std::string_view body) {
  return read_action(*find_action(path), body);
}

void expect_refused(std::string_view path, const std::string& body) {
  const auto action = read(path, body);
  ASSERT_FALSE(action) << path << " " << body;
  EXPECT_EQ(action.error().code, ErrorCode::kBadMessage) << path << " " << body;
}

TEST(AdminRequest, EndsTheSessionsOfASubjectOrASession) {
  EXPECT_EQ(std::get<Revoke>(read("/v1/revoke", R"({"subject":"m\u0069a"})").value()).target.subject, "mia");
  EXPECT_EQ(std::get<Revoke>(read("/v1/revoke", R"({"session":"0-1"})").value()).target.session, "0-1");
  EXPECT_EQ(std::get<Disconnect>(read("/v1/disconnect", R"({"session":"0-1"})").value()).target.session,
            "0-1");
  for (const std::string_view path : {"/v1/revoke", "/v1/disconnect"}) {
    for (const std::string bad :
         {"", "{}", "[]", "null", "{", R"({"subject":1})", R"({"subject":null})", R"({"subject":""})",
          R"({"subject":"a","session":"b"})", R"({"subject":"a","subject":"b"})", R"({"subject":"a","x":1})",
          R"({"":"a"})", "{\"subject\":\"\xFF\"}", R"({"subject":"a"} x)"}) {
      expect_refused(path, bad);
    }
  }
}

TEST(AdminRequest, NamesWhatItTakesAndNothingElse) {
  EXPECT_EQ(std::get<SetLogLevel>(read("/v1/log_level", R"({"level":"debug"})").value()).level, "debug");
  EXPECT_EQ(std::get<RestartPlugin>(read("/v1/restart_plugin", R"({"plugin":"my_feed"})").value()).plugin,
            "my_feed");
  EXPECT_TRUE(std::holds_alternative<Drain>(read("/v1/drain", "{}").value()));
  expect_refused("/v1/drain", R"({"":""})");
  expect_refused("/v1/drain", R"({"level":"debug"})");
  expect_refused("/v1/log_level", "{}");
  expect_refused("/v1/log_level", R"({"level":""})");
  expect_refused("/v1/log_level", R"({"plugin":"a"})");
  expect_refused("/v1/restart_plugin", R"({"plugin":["a"]})");
  const auto unknown = read("/v1/revoke", R"({"user":"mia"})");
  EXPECT_NE(unknown.error().message.find("subject or session"), std::string::npos) << unknown.error().message;
  EXPECT_EQ(find_action("/v1/sessions"), nullptr);
}

}  // namespace
}  // namespace tickwire
