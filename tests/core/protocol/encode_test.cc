#include "protocol/encode.h"

#include <gtest/gtest.h>

namespace tickwire {
namespace {

TEST(Encode, FrameHeadersHaveTheThreeSizesOfTheRfc) {
  const auto header = [](std::size_t bytes) {
    std::string out;
    append_frame_header(out, Opcode::kText, false, bytes);
    return out;
  };
  using namespace std::string_literals;
  EXPECT_EQ(header(0), "\x81\x00"s);
  EXPECT_EQ(header(125), "\x81\x7D"s);
  EXPECT_EQ(header(126), "\x81\x7E\x00\x7E"s);
  EXPECT_EQ(header(65535), "\x81\x7E\xFF\xFF"s);
  EXPECT_EQ(header(65536), "\x81\x7F\x00\x00\x00\x00\x00\x01\x00\x00"s);
  std::string compressed;
  append_frame_header(compressed, Opcode::kText, true, 1);
  EXPECT_EQ(compressed, "\xC1\x01"s);
}

TEST(Encode, TopicMessagesHaveOneShape) {
  TopicMessage message{"a.b", 3, 1790000000000, Delivery::kValue, TopicStatus::kStale, R"({"p":1.00})"};
  EXPECT_EQ(encode_update(message).payload(),
            R"({"type":"update","topic":"a.b","seq":3,"ts":1790000000000,"data":{"p":1.00}})");
  EXPECT_EQ(
      encode_snapshot(message).payload(),
      R"({"type":"snapshot","topic":"a.b","seq":3,"ts":1790000000000,"status":"stale","data":{"p":1.00}})");
  EXPECT_EQ(encode_status(message).payload(),
            R"({"type":"status","topic":"a.b","seq":3,"ts":1790000000000,"status":"stale"})");
  const EncodedMessage update = encode_update(message);
  EXPECT_EQ(update.header_bytes, 2U);
  EXPECT_EQ(static_cast<unsigned char>(update.frame[1]), update.payload().size());
  message.delivery = Delivery::kEvent;
  EXPECT_EQ(
      encode_update(message).payload(),
      R"({"type":"update","topic":"a.b","seq":3,"ts":1790000000000,"delivery":"event","data":{"p":1.00}})");
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
