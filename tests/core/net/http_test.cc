#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "live_loop.h"

namespace tickwire {
namespace {

using nlohmann::json;

std::string big_data(std::size_t bytes) {
  return R"({"x":")" + std::string(bytes, 'x') + R"("})";
}

TEST(Http, AnswersSeveralRequestsOnOneConnection) {
  LiveLoop live;
  live.publish("ticker.A", R"({"last":"0.10"})");
  RawClient client = live.connect();
  const HttpReply health = client.get("/health");
  EXPECT_EQ(health.status, 200);
  EXPECT_EQ(health.body, R"({"status":"ok"})");
  for (const char* header : {"Access-Control-Allow-Origin: *\r\n", "X-Content-Type-Options: nosniff\r\n",
                             "Content-Type: application/json\r\n", "Connection: keep-alive\r\n"}) {
    EXPECT_NE(health.head.find(header), std::string::npos) << header;
  }
  EXPECT_EQ(json::parse(client.get("/v1/snapshot/ticker.A").body).at("data").at("last"), "0.10");
  EXPECT_EQ(client.get("/v1/snapshot/ticker.B").status, 404);
  EXPECT_EQ(client.get("/v1/snapshot/guarded.A").status, 403);
  EXPECT_EQ(client.get("/nothing").status, 404);
  EXPECT_EQ(json::parse(client.get("/v1/topics?pattern=ticker.*&limit=1").body).at("topics").size(), 1U);
  EXPECT_EQ(client.get("/v1/topics?limit=0").status, 400);
  EXPECT_EQ(client.get("/v1/topics?pattern=%3E").status, 200);
  EXPECT_NE(client.get("/").body.find("<!doctype html>"), std::string::npos);
}

TEST(Http, HeadSaysWhatGetWouldSendAndSendsNothing) {
  LiveLoop live;
  RawClient client = live.connect();
  const HttpReply get = client.get("/health");
  const HttpReply head = client.get("/health", "HEAD");
  EXPECT_EQ(head.head, get.head);
  EXPECT_EQ(client.get("/health").status, 200);  // the next answer is where a body would have been
}

TEST(Http, OtherMethodsAndBodiesAreRefusedAndTheConnectionEnds) {
  LiveLoop live;
  for (const std::string request :
       {"DELETE /health HTTP/1.1\r\nHost: x\r\n\r\n", "OPTIONS /health HTTP/1.1\r\nHost: x\r\n\r\n",
        "POST /health HTTP/1.1\r\nHost: x\r\n\r\n",
        "POST /health HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"}) {
    RawClient client = live.connect();
    client.send(request);
    const HttpReply reply = client.reply();
    EXPECT_EQ(reply.status, 405) << request;
    EXPECT_NE(reply.head.find("Allow: GET, HEAD\r\n"), std::string::npos);
    EXPECT_TRUE(client.ended()) << request;
  }
  RawClient client = live.connect();
  client.send("GET /health HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
  EXPECT_EQ(client.reply().status, 400);
  EXPECT_TRUE(client.ended());
}

TEST(Http, ABodyOfKnownLengthIsPassedOverSoThatTheAnswerArrives) {
  LiveLoop live;
  RawClient client = live.connect();
  client.send("POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n");
  EXPECT_EQ(client.reply().status, 405);
  EXPECT_TRUE(client.send(std::string(100'000, 'x')));
  EXPECT_EQ(client.get("/health").status, 200);
}

TEST(Http, Http10AndCloseEndTheConnection) {
  LiveLoop live;
  for (const std::string request :
       {"GET /health HTTP/1.0\r\n\r\n", "GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"}) {
    RawClient client = live.connect();
    client.send(request);
    const HttpReply reply = client.reply();
    EXPECT_EQ(reply.status, 200);
    EXPECT_NE(reply.head.find("Connection: close\r\n"), std::string::npos);
    EXPECT_TRUE(client.ended());
  }
  RawClient client = live.connect();
  client.send("GET /health HTTP/1.1\r\n\r\n");  // without Host
  EXPECT_EQ(client.reply().status, 400);
}

TEST(Http, LargeAnswersArriveWhole) {
  LiveLoop live;
  const std::string data = big_data((1U << 20U) - 8);
  live.publish("big.A", data);
  for (int i = 0; i < 10'000; ++i) live.publish("many." + std::to_string(i), "{}");
  RawClient client = live.connect();
  EXPECT_NE(client.get("/v1/snapshot/big.A").body.find(data), std::string::npos);
  const json topics = json::parse(client.get("/v1/topics?pattern=many.*").body);
  EXPECT_EQ(topics.at("topics").size(), 10'000U);
}

TEST(Http, AClientThatTakesItsAnswerSlowlyGetsItWholeAndHoldsUpNobody) {
  LiveLoop live;
  const std::string data = big_data(1'000'000);
  live.publish("big.A", data);
  RawClient slow(live.loop.port(), 4096);
  constexpr int kRequests = 8;  // more than the kernel takes
  for (int i = 0; i < kRequests; ++i) slow.send("GET /v1/snapshot/big.A HTTP/1.1\r\nHost: x\r\n\r\n");
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(live.answers());
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  for (int i = 0; i < kRequests; ++i) EXPECT_NE(slow.reply().body.find(data), std::string::npos) << i;
}

TEST(Http, AClientThatTakesNothingOfItsAnswerIsHungUp) {
  NetConfig net;
  net.answer_stall_ms_max = 300;
  LiveLoop live(net);
  live.publish("big.A", big_data(1'000'000));
  RawClient stuck(live.loop.port(), 4096);
  for (int i = 0; i < 8; ++i) stuck.send("GET /v1/snapshot/big.A HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(eventually([&] { return !stuck.send("GET / HTTP/1.1\r\n\r\n"); }));
}

TEST(Http, NoMoreAnswersWaitThanTheLimitSays) {
  NetConfig net;
  net.answer_stall_ms_max = 120'000;  // they are read one after the other
  LiveLoop live(net);
  const std::string data = big_data(1'000'000);
  live.publish("big.A", data);
  constexpr int kRequests = 6;  // more than the kernel takes
  constexpr std::size_t kTooMany = 5;
  std::vector<RawClient> waiting;
  for (std::size_t i = 0; i < kResponsesPendingMax + kTooMany; ++i) {
    waiting.emplace_back(live.loop.port(), 4096);
    for (int k = 0; k < kRequests; ++k)
      waiting.back().send("GET /v1/snapshot/big.A HTTP/1.1\r\nHost: x\r\n\r\n");
  }
  const auto hang_ups = [&] {
    return std::erase_if(
        waiting, [](RawClient& client) { return !client.send("GET /health HTTP/1.1\r\nHost: x\r\n\r\n"); });
  };
  std::size_t gone = 0;
  EXPECT_TRUE(eventually([&] { return (gone += hang_ups()) >= kTooMany; }));
  EXPECT_TRUE(live.answers());
  EXPECT_EQ(waiting.size(), kResponsesPendingMax);
  for (RawClient& client : waiting) {
    for (int k = 0; k < kRequests; ++k) ASSERT_NE(client.reply().body.find(data), std::string::npos);
  }
}

TEST(Http, WhatIsNoHttpDisturbsNobody) {
  LiveLoop live;
  RawClient witness = live.connect_ws();
  const std::string longer(kRequestHeadBytesMax, 'x');
  for (const std::string& bytes :
       {std::string("\x16\x03\x01\x02\x00\x01\x00"), std::string("\r\n\r\n"), std::string("GET\r\n\r\n"),
        std::string("BREW /pot HTTP/1.1\r\n\r\n"), std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        std::string("CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n"),
        std::string("GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n"),
        std::string("GET /a/../../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n"),
        "GET /" + longer + " HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nX: " + longer + "\r\n\r\n",
        std::string("GET / HTTP/1.1\r\nHost: x\r\n") + longer, std::string(100'000, '\0')}) {
    RawClient client = live.connect();
    client.send(bytes);
    ::shutdown(client.fd(), SHUT_WR);
    EXPECT_NE(client.reply().status, 200) << bytes.substr(0, 40);
  }
  EXPECT_TRUE(live.answers());
  EXPECT_TRUE(witness.send_text(R"({"type":"ping","id":1})"));
  EXPECT_NE(witness.read_text().find("pong"), std::string::npos);
}

TEST(Http, ARequestThatIsNotFinishedInTimeIsHungUp) {
  NetConfig net;
  net.request_ms_max = 500;
  LiveLoop live(net);
  RawClient silent = live.connect();
  RawClient slow = live.connect();
  RawClient idle = live.connect();
  EXPECT_EQ(idle.get("/health").status, 200);
  const auto start = std::chrono::steady_clock::now();
  slow.send("GET / HTTP/1.1\r\n");
  EXPECT_TRUE(eventually([&] { return !slow.send("X-Header: 1\r\n"); }));
  EXPECT_TRUE(silent.ended());
  EXPECT_TRUE(idle.ended());
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(400));
}

}  // namespace
}  // namespace tickwire
