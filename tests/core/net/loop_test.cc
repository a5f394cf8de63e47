#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "live_loop.h"

namespace tickwire {
namespace {

using nlohmann::json;

TEST(Loop, WhatIsPublishedOnAnyThreadReachesItsSubscribers) {
  LiveLoop live;
  RawClient client = live.connect_ws();
  client.send_text(R"({"type":"subscribe","id":1,"topics":["ticker.A"]})");
  EXPECT_NE(client.read_text().find("ack"), std::string::npos);
  constexpr int kUpdates = 2000;
  std::thread feed([&] {
    for (int i = 1; i <= kUpdates; ++i) live.publish("ticker.A", R"({"n":)" + std::to_string(i) + "}");
  });
  std::uint64_t seq = 0;
  while (seq < kUpdates) {
    const std::string text = client.read_text();
    ASSERT_FALSE(text.empty());
    const json message = json::parse(text);
    EXPECT_EQ(message.at("data").at("n"), message.at("seq"));
    EXPECT_GT(message.at("seq"), seq);
    seq = message.at("seq");
  }
  feed.join();
}

TEST(Loop, DrainTellsEveryoneClosesAndAcceptsNoMore) {
  LiveLoop live;
  std::vector<RawClient> clients;
  for (int i = 0; i < 10; ++i) clients.push_back(live.connect_ws());
  std::vector<RawClient> http;
  for (int i = 0; i < 3; ++i) {
    http.push_back(live.connect());
    http.back().send(
        "GET ");  // so that the loop, and not the kernel, has it when nobody is accepted any more
  }
  EXPECT_TRUE(live.answers());
  live.loop.drain(1000);
  for (RawClient& client : clients) {
    const json message = json::parse(client.read_text());
    EXPECT_EQ(message.at("type"), "drain");
    EXPECT_LE(message.at("reconnect_after_ms"), 1000);
    EXPECT_EQ(client.read_close_code(), 4001);
  }
  http[0].send("/health HTTP/1.1\r\nHost: localhost\r\n\r\n");
  http[1].send("/v1/topics HTTP/1.1\r\nHost: localhost\r\n\r\n");
  http[2].send(RawClient::upgrade_request().substr(4));
  for (RawClient& client : http) EXPECT_EQ(client.reply().status, 503);
  EXPECT_FALSE(live.connect().connected());
}

TEST(Loop, StopClosesEveryoneWithinItsDeadline) {
  NetConfig net;
  net.stop_ms_max = 500;
  LiveLoop live(net);
  RawClient polite = live.connect_ws();
  RawClient deaf = live.connect_ws();
  RawClient http = live.connect();
  std::thread answer([&] {
    EXPECT_EQ(polite.read_close_code(), 1001);
    polite.send(RawClient::frame(8, "\x03\xE9"));
    EXPECT_TRUE(polite.ended());
  });
  live.loop.stop();
  answer.join();
  EXPECT_EQ(deaf.read_close_code(), 1001);
  EXPECT_TRUE(deaf.ended());
  EXPECT_TRUE(http.ended());
  live.loop.stop();
}

TEST(Loop, StopIsQuickWhenEveryoneAnswers) {
  NetConfig net;
  net.stop_ms_max = 600'000;  // which is longer than a test may take
  LiveLoop live(net);
  RawClient client = live.connect_ws();
  std::thread answer([&] {
    EXPECT_EQ(client.read_close_code(), 1001);
    client.send(RawClient::frame(8, "\x03\xE9"));
  });
  live.loop.stop();
  answer.join();
}

// Thousands of pieces: at one in each quarter of a second, when a loop comes round by itself, they would take
// for minutes.
TEST(Loop, WhatIsLeftOfACommandOrASessionIsGoneOnWithThoughNobodyWakesTheLoop) {
  RealClock clock;
  FakeAccess access;
  FixedSource source;
  Hub hub(clock, {});
  NetConfig net;
  net.listen.front().port = 0;
  ShardConfig shard;
  shard.piece_steps = 16;
  Loop loop(hub, clock, access, shard, net, source);
  ASSERT_TRUE(loop.open().ok());
  loop.start();
  {
    RawClient client(loop.port());
    EXPECT_EQ(client.upgrade(), 101);
    std::string topics;
    for (int i = 0; i < 5'000; ++i) topics += (i > 0 ? ",\"t" : "\"t") + std::to_string(i) + "\"";
    client.send_text(R"({"type":"subscribe","id":1,"snapshot":false,"topics":[)" + topics + "]}");
    EXPECT_NE(client.read_text().find("welcome"), std::string::npos);
    EXPECT_NE(client.read_text().find("ack"), std::string::npos);
    EXPECT_EQ(loop.shard().stats().subscriptions, 5'000U);
  }
  EXPECT_TRUE(eventually([&] { return loop.shard().stats().subscriptions == 0; }));
}

TEST(Loop, OneThatWasNeverStartedCanGo) {
  RealClock clock;
  FakeAccess access;
  FixedSource source;
  Hub hub(clock, {});
  NetConfig net;
  net.listen.front().port = 0;
  {
    Loop never_opened(hub, clock, access, {}, net, source);
  }
  Loop loop(hub, clock, access, {}, net, source);
  EXPECT_TRUE(loop.open().ok());
  EXPECT_GT(loop.port(), 0);
  loop.drain(0);
}

}  // namespace
}  // namespace tickwire
