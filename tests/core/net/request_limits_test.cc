// Requests that ask for too much, say nonsense or leave: each is refused by name, and nothing of it is left.
#include <nlohmann/json.hpp>
#include <string>

#include "requests.h"

namespace tickwire {
namespace {

using nlohmann::json;

struct RequestLimits : RequestSessions {
  using RequestSessions::RequestSessions;
  void publish(const std::string& topic, const std::string& data) {
    ASSERT_TRUE(hub.publish(topic, data).ok());
  }
  // `count` topics "t.000", ..., each with an image of so many bytes.
  void publish_many(int count, std::size_t bytes) {
    const std::string data = R"({"x":")" + std::string(bytes, 'x') + "\"}";
    for (int i = 0; i < count; ++i) publish("t." + std::to_string(1'000 + i), data);
  }
};

TEST_F(RequestLimits, EachLimitOfARequestIsCountedUnderItsName) {
  publish("a", "{}");
  const auto counted = [this](Limit limit, const auto& over) {
    const std::uint64_t before = limited(limit);
    over();
    EXPECT_EQ(limited(limit) - before, 1U) << name_of(limit);
  };
  EXPECT_EQ(get("/v1/snapshot/a?wait=60").status, 200);
  counted(Limit::kWaitTime, [this] { EXPECT_EQ(get("/v1/snapshot/a?wait=61").status, 400); });
  counted(Limit::kWaitTime, [this] { EXPECT_EQ(get("/poll?topics=a&wait=61").status, 400); });
  EXPECT_EQ(get("/v1/snapshot?topics=a&limit=10000").status, 200);
  counted(Limit::kGetTopics, [this] { EXPECT_EQ(get("/v1/snapshot?topics=a&limit=10001").status, 400); });
  counted(Limit::kListTopics, [this] { EXPECT_EQ(get("/v1/topics?limit=10001").status, 400); });
  counted(Limit::kMessageBytes, [this] {
    RawClient client = connect();
    client.send(
        "POST /v1/publish HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: " +
        std::to_string(kMessageBytesMax + 1) + "\r\n\r\n");
    EXPECT_EQ(client.reply().status, 413);
  });
  const std::string lines = "Content-Type: application/x-ndjson\r\n";
  counted(Limit::kPublishLines, [&] {
    std::string body;
    for (int i = 0; i < 10'001; ++i) body += "x\n";
    EXPECT_EQ(post(body, lines).status, 413);
  });
  publish_many(3, 600'000);
  counted(Limit::kGetBytes, [this] {
    const json page = json::parse(get("/v1/snapshot?topics=t.*").body);
    EXPECT_EQ(page["results"].size(), 1U);
    EXPECT_EQ(page["next"], "0:t.1000");
  });
}

TEST_F(RequestLimits, APollHasAllThatChangedAlsoWhereItsCursorHasNoRoom) {
  publish_many(600, 4'000);
  const std::uint64_t before = limited(Limit::kCursorBytes);
  const json first = json::parse(get("/poll?topics=t.*&wait=0").body);
  EXPECT_EQ(first["messages"].size(), 600U);
  EXPECT_EQ(first["cursor"], "e1!");
  EXPECT_GT(limited(Limit::kCursorBytes), before);
  const json again = json::parse(get("/poll?topics=t.*&wait=0&cursor=e1!").body);
  EXPECT_EQ(again["results"][0]["recovered"], false);
  EXPECT_EQ(again["messages"].size(), 600U) << "none is left out for good";
}

TEST_F(RequestLimits, APollThatWouldBeTooLongIsRefusedAndHoldsNothing) {
  publish_many(18, 1'000'000);
  const HttpReply reply = get("/poll?topics=t.*&wait=0");
  EXPECT_EQ(reply.status, 413) << reply.body.substr(0, 200);
  EXPECT_NE(reply.body.find("fewer topics"), std::string::npos);
  EXPECT_EQ(limited(Limit::kUnreadPerConnection), 1U);
  EXPECT_TRUE(sessions_are(0));
  EXPECT_EQ(get("/poll?topics=t.1000,t.1001&wait=0").status, 200);
}

TEST_F(RequestLimits, AnAnswerThatIsDeniedIsForNoCacheWhateverTheRoad) {
  publish("guarded.a", R"({"secret":1})");
  for (const std::string path :
       {"/v1/snapshot/guarded.a", "/v1/snapshot/guarded.a?wait=5", "/v1/snapshot?topics=guarded.a",
        "/v1/history/guarded.a", "/v1/history/guarded.a?since=0&epoch=e1", "/poll?topics=guarded.a&wait=60",
        "/poll?topics=guarded.a&last=9&wait=60", "/poll?topics=guarded.a&cursor=e1,guarded.a=0&wait=60"}) {
    RawClient client = connect();
    client.send("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    answer(question(), Ruling::kDeny, "not yours");
    const HttpReply reply = client.reply();
    EXPECT_NE(reply.head.find("private, no-store"), std::string::npos) << path;
    EXPECT_NE(reply.body.find("denied"), std::string::npos) << path << ": " << reply.body;
    EXPECT_EQ(reply.body.find("secret"), std::string::npos) << path << ": " << reply.body;
  }
  RawClient stream = connect();
  stream.send(
      "GET /sse?topics=guarded.a&last=9 HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: "
      "e1,guarded.a=0\r\n\r\n");
  answer(question(), Ruling::kDeny, "not yours");
  EXPECT_NE(stream.reply(false).head.find("private, no-store"), std::string::npos);
  std::string line;
  while (line.find("\"ack\"") == std::string::npos) line = stream.read_line().value_or("\"ack\" never");
  EXPECT_NE(line.find("denied"), std::string::npos) << line;
  EXPECT_EQ(get("/v1/topics").body.find("guarded"), std::string::npos);
}

TEST_F(RequestLimits, WhatStandsInAUrlStaysWhereItBelongs) {
  for (const std::string path :
       {"/sse?topics=a%0d%0aX:%20y", "/poll?topics=a%0aid:%201", "/poll?topics=a&cursor=%00"})
    EXPECT_EQ(get(path).status, 400) << path;
  for (const std::string road : {"/sse", "/poll"}) {
    for (const std::string wrong : {"&last=1e2", "&last=65537", "&max_rate=-1"})
      EXPECT_EQ(get(road + "?topics=a" + wrong).status, 400) << road << wrong;
  }
  for (const std::string topic : {R"(a"],"type":"publish)", "a\\", "\xFF\xFE", "a b"}) {
    std::string encoded;
    for (const char c : topic) {
      constexpr std::string_view kDigits = "0123456789ABCDEF";
      const auto byte = static_cast<unsigned char>(c);
      (encoded += '%').append({kDigits[byte / 16U], kDigits[byte % 16U]});
    }
    const json poll = json::parse(get("/poll?wait=0&topics=" + encoded).body);
    EXPECT_EQ(poll["results"][0]["error"]["code"], "bad_topic") << topic;
    const json once = json::parse(get("/v1/snapshot?topics=" + encoded).body);
    EXPECT_EQ(once["results"][0]["error"]["code"], "bad_topic") << topic;
  }
}

TEST_F(RequestLimits, ACursorOfAnySizeAndAnyContentIsNoneOrFits) {
  publish("a", R"({"n":1})");
  std::string topics = "e1";
  for (int i = 0; i < 700; ++i) topics += ",a=1";
  for (const std::string& cursor :
       {std::string(9'000, 'x'), topics + std::string(4'000, ','), std::string("e1,=1"), std::string("e1,a="),
        std::string("e1,a=99999999999999999999"), std::string("!"), std::string(",a=1"),
        std::string("\"},{\xFF")}) {
    const HttpReply reply = get("/poll?topics=a&wait=0", "Last-Event-ID: " + cursor + "\r\n");
    ASSERT_EQ(reply.status, 200) << cursor;
    const json poll = json::parse(reply.body);
    EXPECT_EQ(poll["results"][0]["recovered"], false) << cursor;
    EXPECT_EQ(poll["messages"].size(), 1U) << cursor;
  }
  const json fits = json::parse(get("/poll?topics=a&wait=0", "Last-Event-ID: " + topics + "\r\n").body);
  EXPECT_EQ(fits["results"][0]["recovered"], true);
  EXPECT_EQ(fits["messages"].size(), 0U);
}

TEST_F(RequestLimits, ALineThatIsNoMessageDoesNotReachTheOthers) {
  const std::string body =
      "{\"topic\":\"a\",\"data\":{\"n\":1}}\n"
      "{\"topic\":\"a\",\"data\":{\"s\":\"\xFF\"}}\n"
      "{\"topic\":\"a\",\"data\":{}},{\"topic\":\"b\",\"data\":{}}\n"
      "}{\n{}\nnull\n"
      "{\"type\":\"auth\",\"id\":7,\"topic\":\"a\",\"token\":\"t\",\"data\":{\"n\":2}}\n"
      "{\"topic\":\"a\",\"data\":{\"n\":3},\"\\u0074ype\":\"subscribe\"}\n" +
      std::string(R"({"topic":"a","data":)") + std::string(40, '[') + std::string(40, ']') + "}\n" +
      R"({"topic":"a\nb","data":{}})";
  const HttpReply reply = post(body, "Content-Type: application/x-ndjson\r\n");
  ASSERT_EQ(reply.status, 200);
  std::vector<json> lines;
  std::istringstream text(reply.body);
  for (std::string line; std::getline(text, line);) lines.push_back(json::parse(line));
  ASSERT_EQ(lines.size(), 10U) << reply.body;
  for (const std::size_t good : {0U, 6U, 7U}) EXPECT_EQ(lines[good]["topic"], "a") << good;
  for (const std::size_t bad : {1U, 2U, 3U, 4U, 5U, 8U, 9U}) EXPECT_TRUE(lines[bad].contains("error")) << bad;
  EXPECT_EQ(hub.find("a")->seq(), 3U);
  EXPECT_EQ(hub.find("b"), nullptr);
}

TEST_F(RequestLimits, OneThatLeavesInTheMiddleLeavesNothingBehind) {
  for (int round = 0; round < 50; ++round) {
    RawClient poll = connect();
    poll.send("GET /poll?topics=a.*&wait=60 HTTP/1.1\r\nHost: localhost\r\n\r\n");
    RawClient stream = connect();
    stream.send("GET /sse?topics=a.*,guarded.b HTTP/1.1\r\nHost: localhost\r\n\r\n");
    RawClient body = connect();
    body.send(
        "POST /v1/publish HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: "
        "99\r\n\r\n{");
  }
  EXPECT_TRUE(sessions_are(0));
  EXPECT_EQ(get("/v1/topics").status, 200);
}

struct SlowClients : RequestLimits {
  SlowClients() : RequestLimits(ShardConfig{}, nullptr, slow()) {}
  static NetConfig slow() {
    NetConfig config = net();
    config.message_ms_max = 200;
    return config;
  }
};

TEST_F(SlowClients, ABodyThatDoesNotComeIsWaitedForOnlySoLong) {
  RawClient client = connect();
  client.send(
      "POST /v1/publish HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: "
      "99\r\n\r\n{");
  EXPECT_EQ(client.reply().status, 408);
  EXPECT_EQ(limited(Limit::kMessageTime), 1U);
}

TEST_F(SlowClients, AStreamThatIsNotReadFallsBehindAndThenGoesOnWithTheState) {
  publish("a", R"({"n":0})");
  RawClient client(loop.port(), 4'096);
  client.send("GET /sse?topics=a HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const std::string filling(100'000, 'x');
  int n = 0;
  const auto conflated = [this] { return loop.shard().counters().conflated.get() > 0; };
  while (n < 2'000 && !conflated()) {
    publish("a", R"({"n":)" + std::to_string(++n) + R"(,"x":")" + filling + "\"}");
    std::this_thread::sleep_for(std::chrono::milliseconds(1));  // so that turns come between
  }
  EXPECT_TRUE(conflated());
  EXPECT_EQ(get("/v1/snapshot/a").status, 200) << "nobody else waits";
  const std::string last = R"("n":)" + std::to_string(n) + ",";
  std::string line;
  while (line.find(last) == std::string::npos) {
    const auto read = client.read_line();
    ASSERT_TRUE(read) << "the end of the stream before its last state";
    line = *read;
  }
}

}  // namespace
}  // namespace tickwire
