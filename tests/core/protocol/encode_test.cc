#include "protocol/encode.h"

#include <gtest/gtest.h>

namespace tickwire {
namespace {

TEST(Encode, TopicMessagesHaveOneShape) {
  TopicMessage message{"a.b", 3, 1790000000000, Delivery::kValue, TopicStatus::kStale, R"({"p":1.00})"};
  EXPECT_EQ(encode_update(message),
            R"({"type":"update","topic":"a.b","seq":3,"ts":1790000000000,"data":{"p":1.00}})");
  EXPECT_EQ(
      encode_snapshot(message),
      R"({"type":"snapshot","topic":"a.b","seq":3,"ts":1790000000000,"status":"stale","data":{"p":1.00}})");
  EXPECT_EQ(encode_status(message),
            R"({"type":"status","topic":"a.b","seq":3,"ts":1790000000000,"status":"stale"})");
  message.delivery = Delivery::kEvent;
  EXPECT_EQ(
      encode_update(message),
      R"({"type":"update","topic":"a.b","seq":3,"ts":1790000000000,"delivery":"event","data":{"p":1.00}})");
}

TEST(Encode, AHaltStandsBehindTheStatus) {
  const Halt halt{"a \"doubt\"", 1790000000500};
  TopicMessage message{"a", 3, 5, Delivery::kValue, TopicStatus::kHalted, R"({"p":1})", &halt};
  EXPECT_EQ(encode_status(message),
            R"({"type":"status","topic":"a","seq":3,"ts":5,"status":"halted","reason":"a \"doubt\"",)"
            R"("until":1790000000500})");
  const Halt endless{"news"};
  message.halt = &endless;
  EXPECT_EQ(
      encode_snapshot(message),
      R"({"type":"snapshot","topic":"a","seq":3,"ts":5,"status":"halted","reason":"news","data":{"p":1}})");
  EXPECT_EQ(encode_update(message), R"({"type":"update","topic":"a","seq":3,"ts":5,"data":{"p":1}})");
}

TEST(Encode, ErrorsWithoutAWireCodeAreInternal) {
  EXPECT_EQ(encode_error("", Error{ErrorCode::kStoreIo, "x", ""}),
            R"({"type":"error","code":"internal","message":"x","retryable":true})");
}

TEST(Encode, TextThatIsNotUtf8IsStillValidJson) {
  EXPECT_EQ(quote_json("a\xFF\"\n"), "\"a\xEF\xBF\xBD\\\"\\n\"");
}

}  // namespace
}  // namespace tickwire
