#include "protocol/ack.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "protocol/transcode.h"

namespace tickwire {
namespace {

// The binary formats say what JSON says, byte for byte as transcode.h makes it of that.
void expect_the_same_in_every_format(const std::string& id, const std::vector<TopicResult>& results) {
  const std::string text = encode_ack(Format::kJson, id, results);
  for (const Format format : {Format::kMsgpack, Format::kCbor}) {
    EXPECT_EQ(encode_ack(format, id, results), to_binary(format, text))
        << name_of(format) << " " << text.substr(0, 200);
  }
}

TEST(Ack, HoldsAResultPerTopic) {
  const std::vector<TopicResult> results{
      {"a", 4, {}}, {"b!", {}, Error{ErrorCode::kBadTopic, "topic: no \"b!\"", ""}}, {"c", {}, {}}};
  EXPECT_EQ(
      encode_ack(Format::kJson, "7", results),
      R"({"type":"ack","id":7,"results":[{"topic":"a","seq":4},)"
      R"({"topic":"b!","error":{"code":"bad_topic","message":"topic: no \"b!\"","retryable":false}},{"topic":"c"}]})");
  expect_the_same_in_every_format("7", results);
}

TEST(Ack, EveryFieldIsTheSameInEveryFormat) {
  const Error error{ErrorCode::kUnavailable, "a.b: nobody could say", "topics[3]"};
  const std::vector<TopicResult> results{
      {"a", 4, error, true, 7}, {"a", {}, {}, false, 0}, {"a", {}, error, {}, {}}};
  for (const char* id : {"", "7", "-7", "18446744073709551615", R"("a\"\u0000")"}) {
    expect_the_same_in_every_format(id, results);
  }
}

TEST(Ack, NumbersTextsAndListsOfEverySizeAreTheSameInEveryFormat) {
  std::vector<TopicResult> results;
  for (const std::uint64_t near : {0ULL, 24ULL, 128ULL, 256ULL, 65'536ULL, 1ULL << 32U, 1ULL << 63U}) {
    for (const std::uint64_t number : {near - 1, near, near + 1}) results.push_back({"a", number, {}});
  }
  for (const std::size_t bytes : {0U, 23U, 24U, 31U, 32U, 255U, 256U, 65'535U, 65'536U}) {
    results.push_back({std::string(bytes, 'x'), {}, {}});
  }
  expect_the_same_in_every_format("1", results);
  for (const std::size_t count : {0U, 1U, 15U, 16U, 23U, 24U, 255U, 256U, 65'535U, 65'536U}) {
    expect_the_same_in_every_format("", std::vector<TopicResult>(count, TopicResult{"a", 1, {}}));
  }
}

TEST(Ack, TextsThatMustBeEscapedOrAreNotUtf8AreTheSameInEveryFormat) {
  std::vector<TopicResult> results;
  for (int byte = 0; byte < 256; ++byte) {
    results.push_back({"a" + std::string(1, static_cast<char>(byte)) + "b", {}, {}});
  }
  for (const char* text : {"\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\xED\xA0\x80", "\xC0\x80"}) {
    results.push_back({text, {}, Error{ErrorCode::kDenied, text, text}});
  }
  expect_the_same_in_every_format("1", results);
}

TEST(Ack, AListIsTheSameInEveryFormat) {
  for (const std::size_t count : {0U, 1U, 15U, 16U, 10'000U}) {
    const std::vector<std::string_view> topics(count, "a.b");
    for (const char* next : {"", "a.b"}) {
      const std::string text = encode_list(Format::kJson, "7", topics, next);
      for (const Format format : {Format::kMsgpack, Format::kCbor}) {
        EXPECT_EQ(encode_list(format, "7", topics, next), to_binary(format, text));
      }
    }
  }
  const std::vector<std::string_view> two{"a", "b"};
  EXPECT_EQ(encode_list(Format::kJson, "7", two, "b"),
            R"({"type":"ack","id":7,"topics":["a","b"],"next":"b"})");
}

}  // namespace
}  // namespace tickwire
