#include "protocol/salvage.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "protocol/command.h"

namespace tickwire {
namespace {

using nlohmann::json;

std::string id_in(const std::string& text) {
  return salvage(Format::kJson, text).id;
}

std::string bytes_of(const std::vector<std::uint8_t>& bytes) {
  return {bytes.begin(), bytes.end()};
}

std::string repeated(const std::string& text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

TEST(Salvage, FindsTheIdWhateverStandsBesideIt) {
  const std::vector<std::string> values = {repeated("[", 100'000) + repeated("]", 100'000),
                                           repeated("{\"id\":7,\"x\":", 100) + "1" + repeated("}", 100),
                                           "1e400",
                                           std::string(400, '9'),
                                           R"("\ud800")",
                                           "\"\xFF\"",
                                           "01",
                                           "tru",
                                           R"("}{\"id\":8")"};
  for (const std::string& value : values) {
    EXPECT_EQ(id_in(R"({"type":"publish","id":5,"data":)" + value + "}"), "5") << value.substr(0, 40);
    EXPECT_EQ(id_in(R"( { "data" : )" + value + R"( , "id" : "a\u00e9\n" } )"), R"("aé\n")")
        << value.substr(0, 40);
  }
  EXPECT_EQ(id_in(R"({"id":5,"data":{"a":)"), "5") << "the text ends too early";
  EXPECT_EQ(id_in(R"({"\u0069d":-5,"x":1e999})"), "-5");
  EXPECT_EQ(id_in(R"({"id":1,"id":2,"x":1e999})"), "2") << "the last counts, as in a message that parses";
}

TEST(Salvage, EchoesNothingThatIsNoId) {
  for (const char* text : {"", "x", "[1]", "{", R"({"id")", R"({"id":)", R"({"id":1.5,"x":01})",
                           R"({"id":{"id":1}})", R"({"id":"\ud800"})", R"({"data":{"id":1},"x":01})"}) {
    EXPECT_EQ(id_in(text), "") << text;
  }
  const std::string most(kIdBytesMax, 'x');
  EXPECT_EQ(id_in(R"({"id":")" + most + R"(","x":01})"), '"' + most + '"');
  EXPECT_EQ(id_in(R"({"id":")" + most + R"(x","x":01})"), "");
}

// A message whose id survives although `value`, in place of its data, is what nobody takes.
void expect_id(Format format, const std::string& value, const std::string& expected) {
  const bool cbor = format == Format::kCbor;
  const std::string map = cbor ? "\xA3" : "\x83";
  const auto text = [&](const std::string& s) {
    return std::string(1, static_cast<char>((cbor ? 0x60 : 0xA0) + s.size())) + s;
  };
  const std::string type = text("type") + text("publish");
  const std::string id = text("id") + std::string(1, '\x07');
  for (const std::string& message :
       {map + type + id + text("data") + value, map + text("data") + value + type + id}) {
    EXPECT_EQ(salvage(format, message).id, expected);
    std::string told;
    EXPECT_FALSE(parse_command(message, told, format));
    EXPECT_EQ(told, expected);
  }
}

TEST(Salvage, FindsTheIdInCborWhateverStandsBesideIt) {
  for (const std::string& value : {
           repeated("\x81", 100'000) + "\x01",                                // arrays in arrays
           repeated("\xA1\x61x", 40) + "\x01",                                // maps in maps
           repeated("\x9F", 1000) + repeated("\xFF", 1000),                   // of unknown length
           repeated("\xBF\x61x", 40) + "\x01" + repeated("\xFF", 40),         //
           std::string("\xC1\x01"),                                           // a tag
           std::string("\xF7"),                                               // undefined
           bytes_of({0x3B, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}),  // below -2^63
           std::string("\xA1\x01\x02"),                                       // a key that is no text
       }) {
    expect_id(Format::kCbor, value, "7");
  }
}

TEST(Salvage, FindsTheIdInMessagePackWhateverStandsBesideIt) {
  for (const std::string& value : {
           repeated("\x91", 100'000) + "\x01",  // arrays in arrays
           repeated("\x81\xA1x", 40) + "\x01",  // maps in maps
           bytes_of({0x81, 0x01, 0x02}),        // a key that is no text
           bytes_of({0x81, 0xC0, 0x02}),        // nor null
       }) {
    expect_id(Format::kMsgpack, value, "7");
  }
}

// All types of both formats, as nlohmann writes them, are walked over to the id behind them.
TEST(Salvage, KnowsTheEndOfEveryValue) {
  std::mt19937 random(5);
  const auto pick = [&](int n) { return std::uniform_int_distribution<int>(0, n - 1)(random); };
  const auto value = [&](auto&& self, int depth) -> json {
    switch (pick(depth > 3 ? 7 : 9)) {
      case 0:
        return nullptr;
      case 1:
        return pick(2) == 0;
      case 2:
        return static_cast<std::int64_t>(random()) << pick(33);
      case 3:
        return -(static_cast<std::int64_t>(random()) << pick(31));
      case 4:
        return static_cast<double>(random()) / 7;
      case 5:
        return std::string(static_cast<std::size_t>(1) << pick(18), 'x');
      case 6:
        return json::binary(std::vector<std::uint8_t>(static_cast<std::size_t>(pick(70'000))), 3);
      case 7: {
        json items = json::array();
        for (int i = pick(20); i > 0; --i) items.push_back(self(self, depth + 1));
        return items;
      }
      default: {
        json members = json::object();
        for (int i = pick(20); i > 0; --i) members["k" + std::to_string(i)] = self(self, depth + 1);
        return members;
      }
    }
  };
  for (int round = 0; round < 60; ++round) {
    const std::int64_t id = (pick(2) == 0 ? -1 : 1) * (static_cast<std::int64_t>(random()) << pick(31));
    const json message = {{"data", value(value, 0)}, {"id", id}};
    const std::vector<std::uint8_t> cbor = json::to_cbor(message);
    const std::vector<std::uint8_t> msgpack = json::to_msgpack(message);
    ASSERT_EQ(salvage(Format::kCbor, bytes_of(cbor)).id, std::to_string(id));
    ASSERT_EQ(salvage(Format::kMsgpack, bytes_of(msgpack)).id, std::to_string(id));
    for (const std::vector<std::uint8_t>& whole : {cbor, msgpack}) {  // and of a part there is none
      const std::string part =
          bytes_of(whole).substr(0, static_cast<std::size_t>(pick(static_cast<int>(whole.size()))));
      salvage(Format::kCbor, part);
      salvage(Format::kMsgpack, part);
    }
  }
}

// parse_command() blames the data where it is the data's fault.
TEST(Salvage, NamesTheDataThatIsAtFault) {
  std::string id;
  const auto error = [&](const std::string& data) {
    return parse_command(R"({"type":"publish","id":3,"topic":"a","data":)" + data + "}", id).error();
  };
  const Error deep = error(repeated("{\"a\":", 17) + "1" + repeated("}", 17));
  EXPECT_EQ(deep.code, ErrorCode::kBadData);
  EXPECT_EQ(deep.field, "data");
  EXPECT_NE(deep.message.find("deeper than 16"), std::string::npos) << deep.message;
  EXPECT_EQ(id, "3");
  EXPECT_NE(error(R"({"a":1e400})").message.find("past a double"), std::string::npos);
  EXPECT_NE(error(R"({"a":"\ud800"})").message.find("lone surrogate"), std::string::npos);
  EXPECT_EQ(parse_command(R"({"type":"ping","id":4,"x":1e400})", id).error().code, ErrorCode::kBadMessage);
  EXPECT_EQ(id, "4");
}

}  // namespace
}  // namespace tickwire
