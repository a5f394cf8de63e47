#include "protocol/command.h"

#include <gtest/gtest.h>

namespace tickwire {
namespace {

Error error_of(std::string_view text) {
  std::string id;
  const auto command = parse_command(text, id);
  EXPECT_FALSE(command) << text;
  return command ? Error{} : command.error();
}

template <typename T>
T body_of(std::string_view text) {
  std::string id;
  const auto command = parse_command(text, id);
  EXPECT_TRUE(command) << text << " " << (command ? "" : command.error().message);
  return std::get<T>(command->body);
}

std::string subscribe_to(std::size_t topics) {
  std::string text = R"({"type":"subscribe","topics":[)";
  for (std::size_t i = 0; i < topics; ++i) text += (i == 0 ? "\"t\"" : ",\"t\"");
  return text + "]}";
}

TEST(Command, SubscribeKeepsTheTopicsAsAsked) {
  const auto command = body_of<SubscribeCommand>(
      R"({"type":"subscribe","id":1,"topics":["a","not valid!"],"snapshot":false,"max_rate":2.5,"later":{}})");
  EXPECT_EQ(command.topics, (std::vector<std::string>{"a", "not valid!"}));
  EXPECT_FALSE(command.snapshot);
  EXPECT_EQ(command.max_rate, 2.5);
}

TEST(Command, TheIdIsEchoedAsItStood) {
  std::string id;
  EXPECT_TRUE(parse_command(R"({"type":"ping","id":"a\"b"})", id));
  EXPECT_EQ(id, R"("a\"b")");
  EXPECT_TRUE(parse_command(R"({"type":"ping","id":-7})", id));
  EXPECT_EQ(id, "-7");
  EXPECT_FALSE(parse_command(R"({"type":"dance","id":9})", id));
  EXPECT_EQ(id, "9") << "also of a command that is refused";
}

TEST(Command, PublishKeepsTheBytesOfData) {
  const auto command =
      body_of<PublishCommand>(R"({"type":"publish","topic":"a","data": {"p":1.00, "q":"\u00e9"} })");
  EXPECT_EQ(command.data, R"({"p":1.00, "q":"\u00e9"})");
}

TEST(Command, ListHasDefaults) {
  const auto command = body_of<ListCommand>(R"({"type":"list"})");
  EXPECT_EQ(command.pattern, ">");
  EXPECT_EQ(command.limit, kListTopicsMax);
}

TEST(Command, ErrorsNameTheFieldAndWhatIsAllowed) {
  EXPECT_EQ(error_of(R"({"type":"subscribe","topics":"a"})").message,
            "topics: must be an array of strings, not a string");
  EXPECT_EQ(error_of(R"({"type":"subscribe","topics":["a",{}]})").message,
            "topics[1]: must be a string, not an object");
  EXPECT_EQ(error_of(R"({"type":"subscribe"})").message, "topics: is required, an array of strings");
  EXPECT_EQ(error_of(R"({"type":"subscribe","topics":[]})").field, "topics");
  EXPECT_EQ(error_of(R"({"type":"subscribe","topics":["a"],"max_rate":1001})").field, "max_rate");
  EXPECT_EQ(error_of(R"({"type":"subscribe","topics":["a"],"max_rate":-1})").field, "max_rate");
  EXPECT_EQ(error_of(R"({"type":"subscribe","topics":["a"],"snapshot":1})").field, "snapshot");
  EXPECT_EQ(error_of(R"({"type":"publish","topic":"a","data":[1]})").code, ErrorCode::kBadData);
  EXPECT_EQ(error_of(R"({"type":"publish","topic":"a"})").field, "data");
  EXPECT_EQ(error_of(R"({"type":"list","limit":0})").field, "limit");
  EXPECT_EQ(error_of(R"({"type":"list","limit":10001})").field, "limit");
  EXPECT_EQ(error_of(R"({"type":"ping","id":{}})").field, "id");
  EXPECT_EQ(error_of(R"({"type":7})").message, "type: must be a string, not a number");
  EXPECT_EQ(error_of(R"({"type":"dance"})").code, ErrorCode::kUnknownCommand);
  EXPECT_EQ(error_of("[1]").message, "message: a JSON object must begin with '{' at byte 0");
  EXPECT_EQ(error_of("{\"type\":\"ping\",\"x\":\"\xFF\"}").message, "message: not UTF-8 at byte 20");
}

TEST(Command, IsReadFromABinaryFormatAlike) {
  std::string id;
  // {"id":"a","type":"publish","topic":"t","data":{"p":"0.10","q":1.5,"n":7}}
  const auto command = parse_command(
      "\x84\xA2id\xA1"
      "a\xA4type\xA7publish\xA5topic\xA1t\xA4"
      "data\x83\xA1p\xA4\x30.10\xA1q\xCA\x3F\xC0" +
          std::string(2, '\0') + "\xA1n\x07",
      id, Format::kMsgpack);
  ASSERT_TRUE(command) << command.error().message;
  EXPECT_EQ(id, R"("a")");
  EXPECT_EQ(std::get<PublishCommand>(command->body).data, R"({"p":"0.10","q":1.5,"n":7})");
}

TEST(Command, AValueThatJsonCannotSayKeepsTheId) {
  std::string id;
  // {"data":{"p":NaN},"id":7}
  const auto command = parse_command(std::string_view("\xA2\x64"
                                                      "data\xA1\x61p\xF9\x7E\x00\x62id\x07",
                                                      16),
                                     id, Format::kCbor);
  ASSERT_FALSE(command);
  EXPECT_EQ(command.error().message, "data.p: NaN is no number");
  EXPECT_EQ(command.error().code, ErrorCode::kBadData);
  EXPECT_EQ(id, "7");
}

TEST(Command, LimitsAreExact) {
  EXPECT_EQ(body_of<SubscribeCommand>(subscribe_to(kTopicsPerCommandMax)).topics.size(),
            kTopicsPerCommandMax);
  const Error error = error_of(subscribe_to(kTopicsPerCommandMax + 1));
  EXPECT_EQ(error.code, ErrorCode::kTooLarge);
  EXPECT_EQ(error.message, "topics: 10001 topics, at most 10000 are allowed in one command");

  const auto ping = [](std::size_t bytes) {
    return R"({"type":"ping","id":")" + std::string(bytes, 'i') + "\"}";
  };
  body_of<PingCommand>(ping(kIdBytesMax));
  EXPECT_EQ(error_of(ping(kIdBytesMax + 1)).message, "id: 65 bytes, at most 64 are allowed");

  const auto auth = [](std::size_t bytes) {
    return R"({"type":"auth","token":")" + std::string(bytes, 't') + "\"}";
  };
  body_of<AuthCommand>(auth(kTokenBytesMax));
  EXPECT_EQ(error_of(auth(kTokenBytesMax + 1)).field, "token");
}

TEST(ParseCommand, TakesTheSlowestAndTheFastestPaceAndNoneBeyond) {
  const auto with_rate = [](const std::string& rate) {
    return R"({"type":"subscribe","topics":["a"],"max_rate":)" + rate + "}";
  };
  EXPECT_EQ(body_of<SubscribeCommand>(with_rate("0.02")).max_rate, kMaxRateMin);
  EXPECT_EQ(body_of<SubscribeCommand>(with_rate("1000")).max_rate, kMaxRateMax);
  EXPECT_EQ(body_of<SubscribeCommand>(with_rate("0")).max_rate, 0) << "every update";
  EXPECT_EQ(error_of(with_rate("0.0199")).message,
            "max_rate: 0.0199 is outside 0.02 to 1000.0 messages a second (0: every update)");
  for (const char* rate : {"0.0199", "1e-300", "1000.1", "-0.02"}) {
    EXPECT_EQ(error_of(with_rate(rate)).field, "max_rate");
  }
}

TEST(ParseCommand, SinceTakesTopicsUpToItsLimitAndNeedsTheirEpoch) {
  const auto parse = [](std::size_t topics, const std::string& more) {
    std::string text = R"({"type":"subscribe","topics":["a"])" + more + R"(,"since":{)";
    for (std::size_t i = 0; i < topics; ++i) {
      text += (i > 0 ? ",\"t" : "\"t") + std::to_string(i) + "\":" + std::to_string(i);
    }
    std::string id;
    return parse_command(text + "}}", id);
  };
  const auto most = parse(kSinceTopicsMax, R"(,"epoch":"e")");
  ASSERT_TRUE(most) << most.error().message;
  const auto& command = std::get<SubscribeCommand>(most->body);
  EXPECT_EQ(command.since.size(), kSinceTopicsMax);
  EXPECT_EQ(command.since.at("t7"), 7U);
  EXPECT_EQ(command.epoch, "e");
  EXPECT_EQ(parse(kSinceTopicsMax + 1, R"(,"epoch":"e")").error().message,
            "since: 100001 topics, at most 100000 are allowed");
  EXPECT_EQ(parse(1, "").error().message, "epoch: is required with since: the one that its seqs belong to");
}

TEST(ParseCommand, SinceAndLastNameWhatIsWrongWithThem) {
  const auto message = [](const std::string& fields) {
    std::string id;
    const auto command = parse_command(R"({"type":"subscribe","topics":["a"],)" + fields + "}", id);
    return command ? std::string() : command.error().message;
  };
  EXPECT_EQ(message(R"("epoch":"e","since":[1])"),
            "since: must be an object of topics and their last seq, not an array");
  EXPECT_EQ(message(R"("epoch":"e","since":{"a":-1})"), "since.a: must be an integer from 0, not a number");
  EXPECT_EQ(message(R"("epoch":"e","since":{"a":"1"})"), "since.a: must be an integer from 0, not a string");
  EXPECT_EQ(message(R"("last":65536)"), "");
  EXPECT_EQ(message(R"("last":65537)"), "last: 65537 is outside 0 to 65536");
  EXPECT_EQ(message(R"("last":1.5)"), "last: must be an integer from 0, not a number");
}

}  // namespace
}  // namespace tickwire
