#include "protocol/binary_message.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <vector>

#include "model/json_object.h"
#include "protocol/command.h"

namespace tickwire {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::array kBinaryFormats{Format::kMsgpack, Format::kCbor};

std::string write(Format format, const ordered_json& message) {
  std::string bytes;
  if (format == Format::kCbor) {
    ordered_json::to_cbor(message, bytes);
  } else {
    ordered_json::to_msgpack(message, bytes);
  }
  return bytes;
}

std::string text_of(Format format, std::string_view bytes) {
  const auto read = read_binary_message(format, bytes);
  EXPECT_TRUE(read) << read.error().message;
  if (!read) return "";
  EXPECT_FALSE(read->fault) << read->fault->message;
  return read->text;
}

Error fault_of(Format format, std::string_view bytes) {
  const auto read = read_binary_message(format, bytes);
  if (!read) return read.error();
  EXPECT_TRUE(read->fault);
  return read->fault.value_or(Error{});
}

std::string repeated(std::string_view part, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += part;
  return out;
}

// An object that many levels deep, itself counted.
ordered_json nested(std::size_t depth) {
  ordered_json message = 1;
  for (std::size_t i = 0; i < depth; ++i) message = ordered_json{{"a", std::move(message)}};
  return message;
}

TEST(BinaryMessage, IsTheTextOfTheSameStructure) {
  const std::string text =
      R"({"z":1,"a":[-5,true,null,[],{}],"s":"0.10","e":"é\"\n","u":18446744073709551615,)"
      R"("i":-9223372036854775808,"f":[0.1,1.0,-2.5,1e+300]})";
  for (const Format format : kBinaryFormats) {
    EXPECT_EQ(text_of(format, write(format, ordered_json::parse(text))), text);
  }
}

TEST(BinaryMessage, ReadsEveryLengthOfAFloat) {
  const std::string_view cbor(
      "\xA3\x61h\xF9\x3E\x00\x61s\xFA\x3F\xC0\x00\x00\x61"
      "d\xFB\x3F\xF8\x00\x00\x00\x00\x00\x00",
      24);
  EXPECT_EQ(text_of(Format::kCbor, cbor), R"({"h":1.5,"s":1.5,"d":1.5})");
  const std::string_view msgpack(
      "\x82\xA1s\xCA\x3F\xC0\x00\x00\xA1"
      "d\xCB\x3F\xF8\x00\x00\x00\x00\x00\x00",
      19);
  EXPECT_EQ(text_of(Format::kMsgpack, msgpack), R"({"s":1.5,"d":1.5})");
}

TEST(BinaryMessage, TextInPiecesIsOne) {
  EXPECT_EQ(text_of(Format::kCbor, "\xBF\x7F\x61p\x61q\xFF\x7F\x62xy\xFF\xFF"), R"({"pq":"xy"})");
}

TEST(BinaryMessage, WhatJsonCannotSayNamesItsField) {
  const double nan = std::nan("");
  const double infinity = std::numeric_limits<double>::infinity();
  struct Case {
    ordered_json message;
    std::string error;
    ErrorCode code;
  };
  const std::vector<Case> cases{
      {{{"data", {{"bid", 1}, {"ask", nan}}}}, "data.ask: NaN is no number", ErrorCode::kBadData},
      {{{"data", {{"levels", {1, {{"p", infinity}}}}}}},
       "data.levels[1].p: must be finite",
       ErrorCode::kBadData},
      {{{"max_rate", -infinity}, {"id", 1}}, "max_rate: must be finite", ErrorCode::kBadMessage},
      {{{"id", ordered_json::binary({1, 2})}},
       "id: bytes and extension types are not taken",
       ErrorCode::kBadMessage},
      {{{"data", {{"s", "\xFF"}}}}, "data.s: not UTF-8", ErrorCode::kBadData},
      {{{"a", 1}, {"\xFF", 2}}, "\xFF: the key is not UTF-8", ErrorCode::kBadMessage},
  };
  for (const Case& c : cases) {
    for (const Format format : kBinaryFormats) {
      const Error error = fault_of(format, write(format, c.message));
      EXPECT_EQ(error.message, c.error);
      EXPECT_EQ(error.code, c.code) << c.error;
      EXPECT_EQ(error.field, c.error.substr(0, c.error.find(':')));
    }
  }
}

TEST(BinaryMessage, ExtensionTypesNameTheirField) {
  const std::string timestamp =
      "\x81\xA4"
      "data\x81\xA1t\xD6\xFF" +
      std::string(4, '\0');
  EXPECT_EQ(fault_of(Format::kMsgpack, timestamp).message, "data.t: bytes and extension types are not taken");
}

TEST(BinaryMessage, BytesThatAreNoMessageNameTheirPlace) {
  struct Case {
    Format format;
    std::string bytes;
    std::string error;  // a part of it
  };
  const std::vector<Case> cases{
      {Format::kMsgpack, "", "at byte 1"},
      {Format::kMsgpack, "\xA1x", "message: must be a map"},
      {Format::kMsgpack, "\x91\x80", "message: must be a map"},
      {Format::kMsgpack, "\x82\xA1x\x01", "at byte 5"},
      {Format::kMsgpack, "\x81\x01\x01", "at byte 2"},
      {Format::kMsgpack, "\x81\xA1x\xC1", "at byte 4"},
      {Format::kMsgpack, std::string("\x81\xA1x\x01\x00", 5), "at byte 5"},
      {Format::kMsgpack, "\xDF\xFF\xFF\xFF\xFF\xA1x\x01", "at byte 9"},
      {Format::kMsgpack, R"({"type":"ping"})", "message: "},
      {Format::kCbor, "", "at byte 1"},
      {Format::kCbor, "\x81\xA0", "message: must be a map"},
      {Format::kCbor, "\xA2\x61x\x01", "at byte 5"},
      {Format::kCbor, "\xA1\x01\x01", "at byte 2"},
      {Format::kCbor, "\xA1\x61x\xC1\x01", "at byte 4"},  // a tag
      {Format::kCbor, "\xA1\x61x\xF7", "at byte 4"},      // undefined
      {Format::kCbor, "\xA1\x61x\xFF", "at byte 4"},
      {Format::kCbor, std::string("\xA1\x61x\x01\x00", 5), "at byte 5"},
      {Format::kCbor, "\xA1\x61x\x7F\x7F\xFF\xFF", "a string of unknown length within another at byte 4"},
      {Format::kCbor, "\xA1\x61x\x3B\x80" + std::string(7, '\0'), "an integer below -2^63 at byte 3"},
  };
  for (const Case& c : cases) {
    const auto read = read_binary_message(c.format, c.bytes);
    ASSERT_FALSE(read) << c.error;
    EXPECT_EQ(read.error().code, ErrorCode::kBadMessage);
    EXPECT_NE(read.error().message.find(c.error), std::string::npos) << read.error().message;
    EXPECT_EQ(read.error().message.find('['), std::string::npos) << read.error().message;
  }
  EXPECT_EQ(text_of(Format::kCbor, "\xA1\x61x\x3B\x7F" + std::string(7, '\xFF')),
            R"({"x":-9223372036854775808})")
      << "the least";
}

TEST(BinaryMessage, DepthLimitIsExact) {
  for (const Format format : kBinaryFormats) {
    EXPECT_NE(text_of(format, write(format, nested(kJsonDepthMax + 1))), "");
    const Error error = fault_of(format, write(format, nested(kJsonDepthMax + 2)));
    EXPECT_EQ(error.message, "message: nested deeper than 17, the limit");
  }
}

// What recurses with each byte would need some hundred MiB of stack.
TEST(BinaryMessage, AsDeepAsAMessageCanBeItIsOnlyRefused) {
  const std::size_t most = kMessageBytesMax;
  EXPECT_FALSE(read_binary_message(Format::kMsgpack, "\x81\xA1x" + std::string(most, '\x91')));
  EXPECT_FALSE(read_binary_message(Format::kMsgpack, repeated("\x81\xA1x", most / 3)));
  EXPECT_FALSE(read_binary_message(Format::kMsgpack, std::string(most, '\x81')));
  for (const char* part : {"\x81", "\x9F", "\xA1", "\xBF", "\xC1", "\x7F", "\x5F", "\x7F\x60", "\x5F\x40"}) {
    const std::string deep = repeated(part, most / 2);
    EXPECT_FALSE(read_binary_message(Format::kCbor, deep)) << testing::PrintToString(part);
    EXPECT_FALSE(read_binary_message(Format::kCbor, "\xA1\x61x" + deep)) << testing::PrintToString(part);
    EXPECT_FALSE(read_binary_message(Format::kCbor, "\xA1" + deep)) << testing::PrintToString(part);
  }
}

TEST(BinaryMessage, TheLimitOfItsTextIsExact) {
  const std::size_t room = kMessageBytesMax - std::string_view(R"({"a":""})").size();
  for (const Format format : kBinaryFormats) {
    EXPECT_EQ(text_of(format, write(format, {{"a", std::string(room, 'x')}})).size(), kMessageBytesMax);
    for (const ordered_json& message :
         {ordered_json{{"a", std::string(room + 1, 'x')}}, ordered_json{{"a", std::string(room / 5, '\x01')}},
          ordered_json{{"a", std::vector<int>(kMessageBytesMax / 2, 1)}}}) {
      const auto read = read_binary_message(format, write(format, message));
      ASSERT_FALSE(read);
      EXPECT_EQ(read.error().code, ErrorCode::kTooLarge);
      EXPECT_EQ(read.error().message, "message: as JSON text over 2097152 bytes, the limit");
    }
  }
}

}  // namespace
}  // namespace tickwire
