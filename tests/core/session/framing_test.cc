#include "session/framing.h"

#include <gtest/gtest.h>

namespace tickwire {
namespace {

using namespace std::string_literals;

TEST(WebsocketFrame, HeadersHaveTheThreeSizesOfTheRfc) {
  const auto header = [](std::size_t bytes) {
    std::string out;
    append_frame_header(out, Opcode::kText, false, bytes);
    EXPECT_EQ(out.size(), frame_header_bytes(bytes));
    return out;
  };
  EXPECT_EQ(header(0), "\x81\x00"s);
  EXPECT_EQ(header(125), "\x81\x7D"s);
  EXPECT_EQ(header(126), "\x81\x7E\x00\x7E"s);
  EXPECT_EQ(header(65535), "\x81\x7E\xFF\xFF"s);
  EXPECT_EQ(header(65536), "\x81\x7F\x00\x00\x00\x00\x00\x01\x00\x00"s);
  std::string compressed;
  append_frame_header(compressed, Opcode::kText, true, 1);
  EXPECT_EQ(compressed, "\xC1\x01"s);
}

TEST(Framing, OfAWebSocketSaysWhetherThePayloadIsTextOrBinary) {
  for (const Format format : {Format::kJson, Format::kMsgpack, Format::kCbor}) {
    const Framing framing{.format = format};
    std::string out = "before";
    framing.append(out, "abc");
    EXPECT_EQ(out, "before"s + (format == Format::kJson ? "\x81" : "\x82") + "\x03" + "abc");
    EXPECT_EQ(framing.framed_bytes(3), out.size() - 6);
  }
}

TEST(Framing, OfAStreamOfEventsIsOneLineOfJson) {
  const Framing framing{.carrier = Carrier::kEvents};
  std::string out = "before";
  framing.append(out, "{\r\n\"a\":\n\"x\\ny\"}");
  EXPECT_EQ(out, "beforedata: {  \"a\": \"x\\ny\"}\n\n");
  EXPECT_EQ(framing.framed_bytes(15), out.size() - 6);
  EXPECT_EQ(event_id("e1"), "id: e1\n\n");
}

TEST(Framing, OfAnInProcessSessionIsTakenApartAgain) {
  const Framing framing{.carrier = Carrier::kInProcess};
  const std::string large(70'000, 'x');
  std::string out;
  framing.append(out, "abc");
  framing.append(out, "");
  framing.append(out, large);
  std::string_view left = out;
  EXPECT_EQ(take_sized(left), "abc");
  EXPECT_EQ(take_sized(left), "");
  EXPECT_EQ(take_sized(left), large);
  EXPECT_TRUE(left.empty());
}

}  // namespace
}  // namespace tickwire
