#include "net/revoke_request.h"

#include <gtest/gtest.h>

#include <string>

namespace tickwire {
namespace {

RequestHead head(const std::string& method, const std::string& type, std::uint64_t body_bytes = 2) {
  RequestHead made;
  made.method = method;
  made.body_bytes = body_bytes;
  if (!type.empty()) made.headers = {{"content-type", type}};
  return made;
}

int status_of(const RequestHead& made) {
  const auto wrong = check_revoke(made);
  return wrong ? wrong->status : 200;
}

TEST(RevokeRequest, IsAPostOfBoundedJson) {
  EXPECT_EQ(status_of(head("POST", "application/json")), 200);
  EXPECT_EQ(status_of(head("POST", " Application/JSON ; charset=utf-8")), 200);
  EXPECT_EQ(status_of(head("GET", "application/json")), 405);
  EXPECT_EQ(status_of(head("POST", "")), 415);
  EXPECT_EQ(status_of(head("POST", "text/plain;application/json")), 415);
  EXPECT_EQ(status_of(head("POST", "application/json", kRevokeBodyBytesMax)), 200);
  EXPECT_EQ(status_of(head("POST", "application/json", kRevokeBodyBytesMax + 1)), 413);
  RequestHead chunked = head("POST", "application/json");
  chunked.chunked = true;
  EXPECT_EQ(status_of(chunked), 411);
}

TEST(RevokeRequest, NamesASubjectOrASession) {
  const auto subject = read_revoke(R"({"subject":"m\u0069a"})");
  ASSERT_TRUE(subject);
  EXPECT_EQ(subject->subject, "mia");
  EXPECT_EQ(read_revoke(R"({"session":"0-1"})").value().session, "0-1");
  for (const std::string bad :
       {"", "{}", "[]", "null", "{", R"({"subject":1})", R"({"subject":null})", R"({"subject":""})",
        R"({"subject":"a","session":"b"})", R"({"subject":"a","subject":"b"})", R"({"subject":"a","x":1})",
        "{\"subject\":\"\xFF\"}", R"({"subject":"a"} x)"}) {
    const auto read = read_revoke(bad);
    ASSERT_FALSE(read) << bad;
    EXPECT_EQ(read.error().code, ErrorCode::kBadMessage);
  }
}

}  // namespace
}  // namespace tickwire
