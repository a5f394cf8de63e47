#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "live_loop.h"
#include "net/request_head.h"

namespace tickwire {
namespace {

using nlohmann::json;

std::string big_data(std::size_t bytes) {
  return R"({"x":")" + std::string(bytes, 'x') + R"("})";
}

TEST(Http, AnswersEachRequestOnAConnectionOfItsOwn) {
  LiveLoop live;
  live.publish("ticker.A", R"({"last":"0.10"})");
  const HttpReply health = live.get("/health");
  EXPECT_EQ(health.status, 200);
  EXPECT_EQ(health.body, R"({"status":"ok"})");
  for (const char* header : {"Access-Control-Allow-Origin: *\r\n", "X-Content-Type-Options: nosniff\r\n",
                             "Content-Type: application/json\r\n", "Connection: close\r\n"}) {
    EXPECT_NE(health.head.find(header), std::string::npos) << header;
  }
  EXPECT_EQ(json::parse(live.get("/v1/snapshot/ticker.A").body).at("data").at("last"), "0.10");
  EXPECT_EQ(live.get("/v1/snapshot/ticker.B").status, 404);
  EXPECT_EQ(live.get("/v1/snapshot/secret.A").status, 403);
  EXPECT_EQ(live.get("/nothing").status, 404);
  EXPECT_EQ(json::parse(live.get("/v1/topics?pattern=ticker.*&limit=1").body).at("topics").size(), 1U);
  EXPECT_EQ(live.get("/v1/topics?limit=0").status, 400);
  EXPECT_EQ(live.get("/v1/topics?pattern=%3E").status, 200);
  EXPECT_EQ(live.get("/v1/topics?pattern=ticker.>").status, 200);
  EXPECT_NE(live.get("/").body.find("<!doctype html>"), std::string::npos);
}

TEST(Http, OneRequestAConnectionWhateverComesBehindIt) {
  LiveLoop live;
  const std::string one = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";
  RawClient client = live.connect();
  client.send(one + "GET /nothing HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n" + one);
  EXPECT_EQ(client.reply().status, 200);
  EXPECT_EQ(client.reply().status, 0);
  EXPECT_TRUE(client.ended());
}

TEST(Http, HeadSaysWhatGetWouldSendAndSendsNothing) {
  LiveLoop live;
  const HttpReply get = live.get("/health");
  RawClient client = live.connect();
  EXPECT_EQ(client.get("/health", "HEAD").head, get.head);
  EXPECT_EQ(client.reply().status, 0);  // nothing where a body would have been
}

TEST(Http, HeadHasNoBodyAlsoWhereItIsRefused) {
  LiveLoop live;
  for (const std::string head : {"HEAD /ws HTTP/1.1\r\nHost: localhost\r\n\r\n",
                                 "HEAD /health HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n"}) {
    RawClient client = live.connect();
    client.send(head);
    EXPECT_GE(client.reply(false).status, 400) << head;
    EXPECT_EQ(client.reply().status, 0) << head;
    EXPECT_TRUE(client.ended());
  }
}

TEST(Http, OtherMethodsAndBodiesAreRefused) {
  LiveLoop live;
  struct Case {
    std::string request;
    int status;
  };
  const std::string chunk = "1\r\nx\r\n0\r\n\r\n";
  const std::string chunked = "Host: localhost\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk;
  const std::vector<Case> cases{
      {"DELETE /health HTTP/1.1\r\nHost: localhost\r\n\r\n", 405},
      {"OPTIONS /health HTTP/1.1\r\nHost: localhost\r\n\r\n", 405},
      {"BREW /health HTTP/1.1\r\nHost: localhost\r\n\r\n", 405},
      {"POST /health HTTP/1.1\r\nHost: localhost\r\n\r\n", 405},
      {"POST /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello", 405},
      {"POST /health HTTP/1.1\r\n" + chunked, 405},
      {"GET /health HTTP/1.1\r\n" + chunked, 400},
      {"HEAD /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello", 400},
      {"GET /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n", 400},
      {"GET /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", 200},
  };
  for (const Case& c : cases) {
    RawClient client = live.connect();
    client.send(c.request);
    const HttpReply reply = client.reply(false);
    EXPECT_EQ(reply.status, c.status) << c.request;
    EXPECT_EQ(reply.head.find("Allow: GET, HEAD\r\n") != std::string::npos, c.status == 405) << c.request;
    EXPECT_TRUE(client.ended()) << c.request;
  }
}

// Closing over what was not read makes the kernel reset the connection, and the client lose its answer.
TEST(Http, WhatIsStillBeingSentIsReadSoThatTheAnswerArrives) {
  LiveLoop live;
  for (int i = 0; i < 20; ++i) {
    RawClient client = live.connect();
    client.send("POST /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 600000\r\n\r\n");
    EXPECT_TRUE(client.send(std::string(600'000, 'x')));
    EXPECT_EQ(client.reply().status, 405);
    EXPECT_TRUE(client.ended());
  }
}

TEST(Http, WhatIsSentBehindARequestIsReadUpToALimit) {
  NetConfig net;
  net.linger_bytes_max = 100'000;
  net.linger_ms_max = 60'000;
  LiveLoop live(net);
  RawClient client = live.connect();
  client.send("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_TRUE(eventually([&] { return !client.send(std::string(10'000, 'x')); }));
  EXPECT_EQ(live.limited(Limit::kLingerBytes), 1U);
}

TEST(Http, OneThatDoesNotCloseAfterItsAnswerIsHungUp) {
  NetConfig net;
  net.linger_ms_max = 300;
  LiveLoop live(net);
  RawClient client = live.connect();
  EXPECT_EQ(client.get("/health").status, 200);
  EXPECT_TRUE(client.ended());  // of the server's half
  EXPECT_TRUE(eventually([&] { return !client.send("x"); }));
  EXPECT_EQ(live.limited(Limit::kLingerTime), 1U);
}

TEST(Http, Http10NeedsNoHost) {
  LiveLoop live;
  RawClient old = live.connect();
  old.send("GET /health HTTP/1.0\r\n\r\n");
  EXPECT_EQ(old.reply().status, 200);
  RawClient client = live.connect();
  client.send("GET /health HTTP/1.1\r\n\r\n");
  EXPECT_EQ(client.reply().status, 400);
}

TEST(Http, LargeAnswersArriveWhole) {
  LiveLoop live;
  const std::string data = big_data((1U << 20U) - 8);
  live.publish("big.A", data);
  for (int i = 0; i < 10'000; ++i) live.publish("many." + std::to_string(i), "{}");
  EXPECT_NE(live.get("/v1/snapshot/big.A").body.find(data), std::string::npos);
  const json topics = json::parse(live.get("/v1/topics?pattern=many.*").body);
  EXPECT_EQ(topics.at("topics").size(), 10'000U);
}

// Asks for an answer that is more than the kernel takes, and reads nothing of it.
RawClient slow_reader(LiveLoop& live, const char* from = nullptr) {
  RawClient client(live.loop.port(), 4096, from);
  client.send("GET /v1/snapshot/big.A HTTP/1.1\r\nHost: localhost\r\n\r\n");
  return client;
}

TEST(Http, AClientThatTakesItsAnswerSlowlyGetsItWholeAndHoldsUpNobody) {
  LiveLoop live;
  const std::string data = big_data(1'000'000);
  live.publish("big.A", data);
  RawClient slow = slow_reader(live);
  ASSERT_EQ(::shutdown(slow.fd(), SHUT_WR), 0);  // and it says nothing any more
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(live.answers());
  EXPECT_NE(slow.reply().body.find(data), std::string::npos);
}

TEST(Http, AClientThatTakesNothingOfItsAnswerIsHungUp) {
  NetConfig net;
  net.answer_stall_ms_max = 300;
  LiveLoop live(net);
  live.publish("big.A", big_data(1'000'000));
  RawClient stuck = slow_reader(live);
  EXPECT_TRUE(eventually([&] { return !stuck.send("x"); }));
}

TEST(Http, WhatIsNoHttpDisturbsNobody) {
  LiveLoop live;
  RawClient witness = live.connect_ws();
  const std::string longer(kRequestHeadBytesMax, 'x');
  for (const std::string& bytes :
       {std::string("\x16\x03\x01\x02\x00\x01\x00"), std::string("\r\n\r\n"), std::string("GET\r\n\r\n"),
        std::string("BREW /pot HTTP/1.1\r\n\r\n"), std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        std::string("CONNECT x:1 HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        std::string("GET /%zz HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        std::string("GET /a/../../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        "GET /" + longer + " HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nX: " + longer + "\r\n\r\n",
        std::string("GET / HTTP/1.1\r\nHost: localhost\r\n") + longer, std::string(100'000, '\0')}) {
    RawClient client = live.connect();
    client.send(bytes);
    ::shutdown(client.fd(), SHUT_WR);
    EXPECT_NE(client.reply().status, 200) << bytes.substr(0, 40);
  }
  EXPECT_TRUE(live.answers());
  EXPECT_TRUE(witness.send_text(R"({"type":"ping","id":1})"));
  EXPECT_NE(witness.read_text().find("pong"), std::string::npos);
}

TEST(Http, ARequestThatIsNotFinishedInTimeIsAnsweredAndOneThatWasNotBegunIsHungUp) {
  NetConfig net;
  net.request_ms_max = 500;
  LiveLoop live(net);
  RawClient silent = live.connect();
  RawClient slow = live.connect();
  slow.send("GET / HTTP/1.1\r\n");
  EXPECT_EQ(slow.reply().status, 408);
  EXPECT_TRUE(slow.ended());
  EXPECT_EQ(silent.reply().status, 0);
  EXPECT_TRUE(silent.ended());
  EXPECT_EQ(live.limited(Limit::kRequestTime), 2U);
}

}  // namespace
}  // namespace tickwire
