#include "model/json_object.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <random>

namespace tickwire {
namespace {

std::vector<JsonField> fields_of(std::string_view text) {
  std::vector<JsonField> fields;
  const Status status = scan_object(text, fields);
  EXPECT_TRUE(status) << text;
  return fields;
}

std::string nested(std::size_t depth) {
  std::string text;
  for (std::size_t i = 0; i < depth; ++i) text += "{\"a\":";
  text += "1";
  for (std::size_t i = 0; i < depth; ++i) text += "}";
  return text;
}

TEST(JsonObject, FieldsAreWhereTheyStand) {
  const std::string_view text = R"( { "bid" : 1.00 ,"a\"b":[1,{"x":"}"}], "n":null } )";
  const auto fields = fields_of(text);
  ASSERT_EQ(fields.size(), 3U);
  EXPECT_EQ(fields[0].key_in(text), "bid");
  EXPECT_EQ(fields[0].value_in(text), "1.00");
  EXPECT_FALSE(fields[0].key_escaped);
  EXPECT_EQ(fields[1].key_in(text), R"(a\"b)");
  EXPECT_TRUE(fields[1].key_escaped);
  EXPECT_EQ(fields[1].value_in(text), R"([1,{"x":"}"}])");
  EXPECT_EQ(fields[2].value_in(text), "null");
  EXPECT_TRUE(fields_of("{}").empty());
}

TEST(JsonObject, TheFaultNamesItsByte) {
  std::vector<JsonField> fields;
  const Status status = scan_object(R"({"a":01})", fields);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message, "data: expected ',' or '}' at byte 6");
}

TEST(JsonObject, DepthLimitIsExact) {
  std::vector<JsonField> fields;
  EXPECT_TRUE(scan_object(nested(kJsonDepthMax), fields));
  EXPECT_FALSE(scan_object(nested(kJsonDepthMax + 1), fields));
}

TEST(JsonObject, ByteLimitIsExact) {
  std::vector<JsonField> fields;
  const std::string shell = R"({"a":""})";
  const auto sized = [&](std::size_t bytes) {
    return R"({"a":")" + std::string(bytes - shell.size(), 'x') + "\"}";
  };
  EXPECT_TRUE(scan_object(sized(kPayloadBytesMax), fields));
  const Status status = scan_object(sized(kPayloadBytesMax + 1), fields);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message, "data: 1048577 bytes, at most 1048576 are allowed");
}

bool nlohmann_accepts(const std::string& text) {
  try {
    return nlohmann::json::parse(text).is_object();
  } catch (const nlohmann::json::exception&) {
    return false;
  }
}

TEST(JsonObject, TakesTheLargestDoubleAndNoNumberPastIt) {
  const std::string most = "17976931348623157" + std::string(292, '0');
  const std::string zeros(400, '0');
  for (const std::string& number :
       {std::string("1.7976931348623157e308"), std::string("-1.7976931348623158e+308"), most, most + ".9",
        "0." + zeros + "1e700", "1" + zeros + "e-400", std::string("0e999999999999"),
        std::string("1e-999999999999"), "0." + zeros + zeros + "1"}) {
    EXPECT_TRUE(is_json_number(number)) << number;
    EXPECT_TRUE(nlohmann_accepts("{\"a\":" + number + "}")) << number;
  }
  for (const std::string& number :
       {std::string("1.7976931348623159e308"), std::string("-1e309"), "2" + most.substr(1), most + "0",
        "0." + zeros + "1e710", std::string("1e999999999999"), "1" + zeros}) {
    EXPECT_FALSE(is_json_number(number)) << number;
    EXPECT_FALSE(nlohmann_accepts("{\"a\":" + number + "}")) << number;
  }
  std::vector<JsonField> fields;
  EXPECT_EQ(scan_object(R"({"a":1e400})", fields).error().message,
            "data: a number past a double (1.8e308) at byte 10");
}

// Whatever is done to a valid text, this scanner and nlohmann/json agree on whether it is one.
TEST(JsonObject, AcceptsWhatNlohmannAccepts) {
  const std::vector<std::string> seeds = {
      R"({"a":1,"b":[true,false,null],"c":{"d":"é\u00e9\ud83d\ude00"},"e":-0.5e+10})",
      R"( {"k":"\\\/\b\f\n\r\t\"" , "x":[] , "y":{} } )", "{\"\":0,\"z\":\"\xF0\x9F\x98\x80\",\"n\":1E40}",
      R"({"s":"\uDBFF\uDFFF","t":"\u0000","u":10e-2})"};
  const std::string alphabet = "{}[]\",:\\u0123456789eE+-.tfnals \n\t\x01\x7F\x80\xC3\xA9\xED\xF4";
  std::mt19937 random(7);
  const auto pick = [&](std::size_t n) {
    return std::uniform_int_distribution<std::size_t>(0, n - 1)(random);
  };
  std::vector<JsonField> fields;
  int accepted = 0;
  for (int round = 0; round < 200'000; ++round) {
    std::string text = seeds[pick(seeds.size())];
    for (std::size_t edits = pick(3); edits > 0; --edits) {
      const std::size_t at = pick(text.size());
      switch (pick(3)) {
        case 0:
          text[at] = alphabet[pick(alphabet.size())];
          break;
        case 1:
          text.erase(at, 1);
          break;
        default:
          text.insert(at, 1, alphabet[pick(alphabet.size())]);
      }
    }
    const bool expected = nlohmann_accepts(text);
    ASSERT_EQ(scan_object(text, fields).ok(), expected) << text;
    accepted += expected ? 1 : 0;
  }
  EXPECT_GT(accepted, 10'000);
}

}  // namespace
}  // namespace tickwire
