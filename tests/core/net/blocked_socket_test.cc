// A client that does not read: what was begun is finished byte for byte, what it missed is conflated.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "live_loop.h"

namespace tickwire {
namespace {

using nlohmann::json;

constexpr int kSmallBuffer = 4096;

std::string numbered(int number) {
  return R"({"n":)" + std::to_string(number) + R"(,"pad":")" + std::string(500'000, 'x') + R"("})";
}

// Publishes until the server has to hold back; returns the last number.
int fill(LiveLoop& live, const std::string& topic) {
  int number = 0;
  EXPECT_TRUE(eventually([&] {
    live.publish(topic, numbered(++number));
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return live.loop.shard().stats().conflated > 0;
  }));
  return number;
}

TEST(BlockedSocket, GetsWholeMessagesAndAtLastTheNewest) {
  LiveLoop live;
  RawClient client = live.connect_ws(kSmallBuffer);
  client.send_text(R"({"type":"subscribe","id":1,"topics":["ticker.A"]})");
  EXPECT_NE(client.read_text().find("ack"), std::string::npos);
  const int last = fill(live, "ticker.A");
  int n = 0;
  std::uint64_t seq = 0;
  while (n < last) {
    const std::string text = client.read_text();
    ASSERT_FALSE(text.empty());
    const json message = json::parse(text);  // torn frames would not parse
    if (message.at("type") == "update") {
      EXPECT_EQ(message.at("seq"), seq + 1);
    }
    seq = message.at("seq");
    n = message.at("data").at("n");
    EXPECT_EQ(message.at("data").at("pad").get<std::string>().size(), 500'000U);
  }
  EXPECT_EQ(n, last);
}

TEST(BlockedSocket, CostsTheKernelNoMoreThanItsLimit) {
  LiveLoop live;
  RawClient client = live.connect_ws(kSmallBuffer);
  client.send_text(R"({"type":"subscribe","id":1,"topics":["ticker.A"]})");
  EXPECT_NE(client.read_text().find("ack"), std::string::npos);
  const std::string data = R"({"pad":")" + std::string(4'000, 'x') + R"("})";
  EXPECT_TRUE(eventually([&] {
    live.publish("ticker.A", data);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return live.loop.shard().stats().conflated > 0;
  }));
  // What the kernel takes while the limit is passed, and what had room at the client.
  EXPECT_LT(live.loop.shard().stats().bytes, 4 * static_cast<std::uint64_t>(NetConfig{}.unsent_bytes_max));
}

// libwebsockets reads the end again and again without a look at anything else, while it holds a part of a
// write; and a poller tells of the end again and again to who does not read it.
TEST(BlockedSocket, OneThatEndsItsHalfHoldsUpNobodyAndGetsTheRest) {
  LiveLoop live;
  RawClient client = live.connect_ws(kSmallBuffer);
  client.send_text(R"({"type":"subscribe","id":1,"topics":["ticker.A"]})");
  EXPECT_NE(client.read_text().find("ack"), std::string::npos);
  fill(live, "ticker.A");
  ASSERT_EQ(::shutdown(client.fd(), SHUT_WR), 0);
  const std::uint64_t before = live.loop.pulse().beats();
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(live.answers());
  EXPECT_LT(live.loop.pulse().beats() - before, 50U * 20U) << "a loop that spins comes round far more often";
  int messages = 0;
  while (client.read_frame()) ++messages;
  EXPECT_GT(messages, 0) << "what was begun";
  EXPECT_TRUE(eventually([&] { return live.loop.shard().stats().sessions == 0; }));
}

TEST(BlockedSocket, AnAnswerToOneThatEndsItsHalfHoldsUpNobody) {
  LiveLoop live;
  live.publish("ticker.A", numbered(1));
  RawClient client(live.loop.port(), kSmallBuffer);
  client.send("GET /v1/snapshot/ticker.A HTTP/1.1\r\nHost: localhost\r\n\r\n");
  ASSERT_EQ(::shutdown(client.fd(), SHUT_WR), 0);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(live.answers());
  EXPECT_EQ(client.reply().status, 200);
  EXPECT_TRUE(live.answers());
}

TEST(BlockedSocket, PongsTearNoFrame) {
  LiveLoop live;
  RawClient client = live.connect_ws(kSmallBuffer);
  client.send_text(R"({"type":"subscribe","id":1,"topics":["ticker.A"]})");
  EXPECT_NE(client.read_text().find("ack"), std::string::npos);
  const int last = fill(live, "ticker.A");
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(client.send(RawClient::frame(9, "ping " + std::to_string(i))));
    EXPECT_TRUE(client.send_text(R"({"type":"ping","id":)" + std::to_string(i) + "}"));
    live.publish("ticker.A", numbered(last + 1 + i));
  }
  int n = 0;
  int pongs = 0;
  int answers = 0;
  while (n < last + 20 || pongs == 0 || answers < 20) {
    const auto frame = client.read_frame();
    ASSERT_TRUE(frame.has_value());
    if (frame->opcode == 10) {
      EXPECT_TRUE(frame->payload.starts_with("ping "));
      ++pongs;
      continue;
    }
    ASSERT_EQ(frame->opcode, 1);
    const json message = json::parse(frame->payload);
    if (message.at("type") == "pong") {
      EXPECT_EQ(message.at("id"), answers++);
    } else {
      n = message.at("data").at("n");
    }
  }
}

TEST(BlockedSocket, ACloseComesAfterAllThatWasWritten) {
  LiveLoop live;
  RawClient client = live.connect_ws(kSmallBuffer);
  client.send_text(R"({"type":"subscribe","id":1,"topics":["ticker.A"]})");
  EXPECT_NE(client.read_text().find("ack"), std::string::npos);
  fill(live, "ticker.A");
  client.send(RawClient::frame(2, "binary"));
  int messages = 0;
  int code = 0;
  while (const auto frame = client.read_frame()) {
    if (frame->opcode == 1) {
      EXPECT_TRUE(json::accept(frame->payload));
      ++messages;
    }
    if (frame->opcode == 8) code = frame->close_code();
    if (code != 0) break;
  }
  EXPECT_GT(messages, 0);
  EXPECT_EQ(code, 4501);
}

TEST(BlockedSocket, OneThatNeverReadsAgainIsHungUpAfterItsClose) {
  NetConfig net;
  net.close_ms_max = 300;
  LiveLoop live(net);
  RawClient client = live.connect_ws(kSmallBuffer);
  client.send_text(R"({"type":"subscribe","id":1,"topics":["ticker.A"]})");
  EXPECT_NE(client.read_text().find("ack"), std::string::npos);
  fill(live, "ticker.A");
  live.loop.drain(0);
  EXPECT_TRUE(eventually([&] { return live.loop.shard().stats().sessions == 0; }));
}

TEST(BlockedSocket, HoldsUpNobodyElse) {
  LiveLoop live;
  RawClient stuck = live.connect_ws(kSmallBuffer);
  RawClient reader = live.connect_ws();
  for (RawClient* client : {&stuck, &reader}) {
    client->send_text(R"({"type":"subscribe","id":1,"topics":["ticker.A"]})");
    EXPECT_NE(client->read_text().find("ack"), std::string::npos);
  }
  for (int i = 1; i <= 50; ++i) {
    live.publish("ticker.A", numbered(i));
    const json message = json::parse(reader.read_text());
    EXPECT_EQ(message.at("seq"), i);
  }
  EXPECT_TRUE(eventually([&] { return live.loop.shard().stats().conflated > 0; }));
}

}  // namespace
}  // namespace tickwire
