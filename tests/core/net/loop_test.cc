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
  RawClient http = live.connect();
  EXPECT_EQ(http.get("/health").status, 200);
  live.loop.drain(1000);
  for (RawClient& client : clients) {
    const json message = json::parse(client.read_text());
    EXPECT_EQ(message.at("type"), "drain");
    EXPECT_LE(message.at("reconnect_after_ms"), 1000);
    EXPECT_EQ(client.read_close_code(), 4001);
  }
  EXPECT_EQ(http.get("/health").status, 503);
  EXPECT_EQ(http.get("/v1/topics").status, 503);
  http.send(RawClient::upgrade_request());
  EXPECT_EQ(http.reply().status, 503);
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
  const auto start = std::chrono::steady_clock::now();
  live.loop.stop();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
  answer.join();
  EXPECT_EQ(deaf.read_close_code(), 1001);
  EXPECT_TRUE(deaf.ended());
  EXPECT_TRUE(http.ended());
  live.loop.stop();
}

TEST(Loop, StopIsQuickWhenEveryoneAnswers) {
  NetConfig net;
  net.stop_ms_max = 60'000;
  LiveLoop live(net);
  RawClient client = live.connect_ws();
  std::thread answer([&] {
    EXPECT_EQ(client.read_close_code(), 1001);
    client.send(RawClient::frame(8, "\x03\xE9"));
  });
  const auto start = std::chrono::steady_clock::now();
  live.loop.stop();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
  answer.join();
}

TEST(Loop, OneThatWasNeverStartedCanGo) {
  RealClock clock;
  FakeAccess access;
  FixedSource source;
  Hub hub(clock, {});
  NetConfig net;
  net.port = 0;
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
