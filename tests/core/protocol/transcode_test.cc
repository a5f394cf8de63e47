#include "protocol/transcode.h"

#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

namespace tickwire {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::array kBinaryFormats{Format::kMsgpack, Format::kCbor};

ordered_json read(Format format, const std::string& bytes) {
  return format == Format::kCbor ? ordered_json::from_cbor(bytes) : ordered_json::from_msgpack(bytes);
}

ordered_json through(Format format, const std::string& text) {
  return read(format, to_binary(format, text));
}

TEST(Transcode, WritesTheBytesThatTheSpecificationsSay) {
  const std::string text = R"({"a":1,"b":"0.10","c":[-1,null]})";
  EXPECT_EQ(to_binary(Format::kMsgpack, text), "\x83\xA1\x61\x01\xA1\x62\xA4\x30.10\xA1\x63\x92\xFF\xC0");
  EXPECT_EQ(to_binary(Format::kCbor, text), "\xA3\x61\x61\x01\x61\x62\x64\x30.10\x61\x63\x82\x20\xF6");
}

TEST(Transcode, KeepsStructureOrderAndStrings) {
  const std::string text =
      R"({"type":"update","topic":"a.b","seq":3,"data":{"z":"0.10","a":[1,-2,true,[],{}],"\u00e9":{"x":null}}})";
  for (const Format format : kBinaryFormats) {
    EXPECT_EQ(through(format, text).dump(), ordered_json::parse(text).dump());
  }
}

TEST(Transcode, IntegersStayIntegersUpToTheirLimits) {
  for (const Format format : kBinaryFormats) {
    const auto found = through(format, R"([18446744073709551615,18446744073709551616,-9223372036854775808,)"
                                       R"(-9223372036854775809,1.00,0.1])");
    EXPECT_TRUE(found[0].is_number_unsigned());
    EXPECT_EQ(found[0], std::numeric_limits<std::uint64_t>::max());
    EXPECT_TRUE(found[1].is_number_float()) << "one past";
    EXPECT_EQ(found[1], 18446744073709551616.0);
    EXPECT_TRUE(found[2].is_number_integer());
    EXPECT_EQ(found[2], std::numeric_limits<std::int64_t>::min());
    EXPECT_TRUE(found[3].is_number_float()) << "one past";
    EXPECT_TRUE(found[4].is_number_float()) << "a float stays one";
    EXPECT_EQ(found[5], 0.1) << "all 64 bits";
  }
}

TEST(Transcode, ANumberPastADoubleIsTheLargestOne) {
  const double largest = std::numeric_limits<double>::max();
  const std::string digits(400, '9');
  for (const Format format : kBinaryFormats) {
    const auto found = through(
        format, R"({"p":1e400,"q":-1E+400,"s":"1e400\"\\","t":-2.5e-1,"1e400":7,"u":)" + digits + "}");
    EXPECT_EQ(found, (ordered_json{{"p", largest},
                                   {"q", -largest},
                                   {"s", "1e400\"\\"},
                                   {"t", -0.25},
                                   {"1e400", 7},
                                   {"u", largest}}));
  }
}

// One that took quadratic time would run into the time limit of every test.
TEST(Transcode, AnImageOfManyFieldsDoesNotHoldTheLoopUp) {
  std::string text = "{\"f0\":0";
  for (int i = 1; text.size() < 1'000'000; ++i) text += ",\"f" + std::to_string(i) + "\":0";
  EXPECT_GT(to_binary(Format::kCbor, text + "}").size(), 500'000U);
}

TEST(Transcode, AMessageIsTheSameInEachFormat) {
  const TopicMessage message{"a.b", 3, 5, Delivery::kEvent, TopicStatus::kStale, R"({"p":1.5})"};
  const std::string text = encode_update(message);
  EXPECT_EQ(in_format(Format::kJson, text), text);
  for (const Format format : kBinaryFormats) {
    EXPECT_EQ(read(format, in_format(format, text)), ordered_json::parse(text));
  }
}

TEST(Format, IsNamedByItsSubprotocol) {
  EXPECT_EQ(format_of("tickwire.v1.json"), Format::kJson);
  EXPECT_EQ(format_of("tickwire.v1.msgpack"), Format::kMsgpack);
  EXPECT_EQ(format_of("tickwire.v1.cbor"), Format::kCbor);
  EXPECT_EQ(format_of("tickwire.v2.cbor"), std::nullopt);
}

}  // namespace
}  // namespace tickwire
