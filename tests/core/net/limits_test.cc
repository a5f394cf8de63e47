// What the clients of a loop share: one address takes its part and no more, and the others go on.
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "codec/standalone.h"
#include "live_loop.h"

namespace tickwire {
namespace {

constexpr int kText = 1;
constexpr int kContinuation = 0;
constexpr int kPing = 9;
constexpr const char* kGreedy = "127.0.0.2";
constexpr const char* kHonest = "127.0.0.3";

const std::string kBig = R"({"x":")" + std::string(1'000'000, 'x') + R"("})";

// Status 0: closed without an answer.
int status_from(LiveLoop& live, const char* from) {
  return live.connect(from).get("/health").status;
}

TEST(Limits, ConnectionsThatAreNoWebSocketAreSharedByAddress) {
  NetConfig net;
  net.requests_open = {6, 3, 1};
  LiveLoop live(net);
  std::vector<RawClient> greedy;
  for (int i = 0; i < 3; ++i) {
    greedy.push_back(live.connect(kGreedy));
    greedy.back().send("GET ");  // and it never ends
  }
  RawClient past = live.connect(kGreedy);
  const HttpReply refused = past.reply();
  EXPECT_EQ(refused.status, 503);
  EXPECT_NE(refused.body.find("this address"), std::string::npos);
  EXPECT_NE(refused.body.find(R"("retryable":true)"), std::string::npos);
  EXPECT_EQ(live.limited(Limit::kRequestsOpenPerAddress), 1U);
  EXPECT_EQ(status_from(live, kHonest), 200);
  greedy.pop_back();
  EXPECT_TRUE(eventually([&] { return status_from(live, kGreedy) == 200; }));
}

TEST(Limits, AWebSocketIsNoLongerCountedAmongTheRequests) {
  NetConfig net;
  net.requests_open = {6, 1, 1};
  LiveLoop live(net);
  std::vector<RawClient> clients;
  for (int i = 0; i < 5; ++i) clients.push_back(live.connect_ws(0, kGreedy));
  EXPECT_EQ(live.loop.shard().stats().sessions, 5U);
}

TEST(Limits, HttpAnswersUnderWayAreSharedByAddress) {
  NetConfig net;
  net.answers_open = {8, 2, 1};
  net.answer_stall_ms_max = 120'000;
  LiveLoop live(net);
  live.publish("big.A", kBig);
  std::vector<RawClient> slow;
  for (int i = 0; i < 4; ++i) {
    slow.emplace_back(live.loop.port(), 4096, kGreedy);
    slow.back().send("GET /v1/snapshot/big.A HTTP/1.1\r\nHost: localhost\r\n\r\n");
  }
  RawClient honest(live.loop.port(), 4096, kHonest);
  honest.send("GET /v1/snapshot/big.A HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_NE(honest.reply().body.find(kBig), std::string::npos);
  int whole = 0;
  for (RawClient& client : slow) whole += client.reply().body.find(kBig) != std::string::npos ? 1 : 0;
  EXPECT_EQ(whole, 2) << "the others were hung up";
  EXPECT_EQ(live.limited(Limit::kAnswersOpenPerAddress), 2U);
}

TEST(Limits, UnreadAnswersAreSharedByAddress) {
  NetConfig net;
  net.unread_bytes = {8 * kMegabyte, 900'000, 900'000};  // less than the answer
  net.answer_stall_ms_max = 120'000;
  LiveLoop live(net);
  live.publish("big.A", kBig);
  RawClient slow(live.loop.port(), 4096, kGreedy);
  slow.send("GET /v1/snapshot/big.A HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_TRUE(eventually([&] { return !slow.send("x"); })) << "hung up";
  EXPECT_EQ(live.limited(Limit::kUnreadPerConnection), 1U);
  RawClient session = live.connect_ws(4096, kGreedy);
  session.send_text(R"({"type":"subscribe","id":1,"topics":["big.A"]})");
  EXPECT_TRUE(eventually([&] { return live.loop.shard().stats().sessions == 0; })) << "hung up";
  EXPECT_EQ(live.limited(Limit::kUnreadPerConnection), 2U);
  EXPECT_TRUE(live.answers());
}

TEST(Limits, MemoryToInflateIsSharedByAddress) {
  NetConfig net;
  net.inflater_bytes = {kMegabyte, 100'000, 50'000};  // two of an address, with their windows
  LiveLoop live(net);
  const std::string begun =
      RawClient::frame(kText, Standalone().compress(R"({"type":"ping","id":1})").substr(0, 4), false, 0x40);
  const auto opened = [&](const char* from) {
    RawClient client = live.connect(from);
    EXPECT_EQ(client.upgrade("Sec-WebSocket-Extensions: permessage-deflate\r\n"), 101);
    EXPECT_NE(client.read_text().find("welcome"), std::string::npos);
    return client;
  };
  std::vector<RawClient> greedy;
  for (int i = 0; i < 3; ++i) greedy.push_back(opened(kGreedy));
  RawClient honest = opened(kHonest);
  const auto close_code = [&](RawClient& client) {
    client.send(begun + RawClient::frame(kPing, ""));
    const auto frame = client.read_frame();
    return frame && frame->opcode == 8 ? frame->close_code() : 0;
  };
  EXPECT_EQ(close_code(greedy[0]), 0);
  EXPECT_EQ(close_code(greedy[1]), 0);
  EXPECT_EQ(live.limited(Limit::kInflaterPerAddress), 0U);
  EXPECT_EQ(close_code(greedy[2]), 1013);
  EXPECT_EQ(live.limited(Limit::kInflaterPerAddress), 1U);
  EXPECT_EQ(close_code(honest), 0);
}

TEST(Limits, UnfinishedMessagesAreSharedByAddress) {
  NetConfig net;
  net.unfinished_bytes = {kMegabyte, 100'000, 60'000};
  LiveLoop live(net);
  const auto close_code = [&](RawClient& client, std::size_t bytes) {
    client.send(RawClient::frame(kText, std::string(bytes, 'x'), false) + RawClient::frame(kPing, ""));
    const auto frame = client.read_frame();
    return frame && frame->opcode == 8 ? frame->close_code() : 0;
  };
  std::vector<RawClient> past;  // which never answer the close, and hold nothing any more
  for (int i = 0; i < 5; ++i) {
    past.push_back(live.connect_ws(0, kGreedy));
    EXPECT_EQ(close_code(past.back(), 70'000), 1013) << "of one connection";
  }
  EXPECT_EQ(live.limited(Limit::kUnfinishedPerConnection), 5U);
  RawClient first = live.connect_ws(0, kGreedy);
  RawClient second = live.connect_ws(0, kGreedy);
  RawClient honest = live.connect_ws(0, kHonest);
  EXPECT_EQ(close_code(first, 30'000), 0);
  EXPECT_EQ(close_code(honest, 30'000), 0);
  RawClient third = live.connect_ws(0, kGreedy);
  RawClient fourth = live.connect_ws(0, kGreedy);
  int refused = 0;
  for (RawClient* client : {&second, &third, &fourth}) refused += close_code(*client, 30'000) == 1013 ? 1 : 0;
  EXPECT_GE(refused, 1) << "of one address";
  EXPECT_EQ(live.limited(Limit::kUnfinishedPerAddress), static_cast<std::uint64_t>(refused));
  EXPECT_TRUE(honest.send(RawClient::frame(kContinuation, "")));
  EXPECT_NE(honest.read_text().find("bad_message"), std::string::npos);
}

// The same limits, of all addresses together.
TEST(Limits, WhatAllShareIsCountedByItsName) {
  NetConfig net;
  net.requests_open = {2, 2, 1};
  net.inflater_bytes = {50'000, 50'000, 50'000};
  net.unfinished_bytes = {60'000, 60'000, 60'000};
  LiveLoop live(net);
  RawClient first = live.connect_ws();
  RawClient second = live.connect_ws();
  const std::string part = RawClient::frame(kText, std::string(30'000, 'x'), false);
  first.send(part + RawClient::frame(kPing, ""));
  EXPECT_EQ(first.read_frame()->opcode, kPong);
  second.send(part + RawClient::frame(kPing, ""));
  EXPECT_EQ(second.read_close_code(), 1013);
  EXPECT_EQ(live.limited(Limit::kUnfinished), 1U);

  const std::string begun =
      RawClient::frame(kText, Standalone().compress(R"({"type":"ping","id":1})").substr(0, 4), false, 0x40);
  std::vector<RawClient> inflating;
  for (int i = 0; i < 2; ++i) {
    inflating.push_back(live.connect());
    EXPECT_EQ(inflating.back().upgrade("Sec-WebSocket-Extensions: permessage-deflate\r\n"), 101);
    EXPECT_NE(inflating.back().read_text().find("welcome"), std::string::npos);
  }
  inflating[0].send(begun + RawClient::frame(kPing, ""));
  EXPECT_EQ(inflating[0].read_frame()->opcode, kPong);
  inflating[1].send(begun);
  EXPECT_EQ(inflating[1].read_close_code(), 1013);
  EXPECT_EQ(live.limited(Limit::kInflater), 1U);

  std::vector<RawClient> silent;
  for (int i = 0; i < 2; ++i) {
    silent.push_back(live.connect());
    silent.back().send("GET ");
  }
  EXPECT_EQ(live.connect().reply().status, 503);
  EXPECT_EQ(live.limited(Limit::kRequestsOpen), 1U);
}

TEST(Limits, WhatNobodyTookIsCountedByItsName) {
  NetConfig net;
  net.answer_stall_ms_max = 200;
  LiveLoop live(net);
  live.publish("big.A", kBig);
  RawClient slow(live.loop.port(), 4096);
  slow.send("GET /v1/snapshot/big.A HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_TRUE(eventually([&] { return live.limited(Limit::kAnswerStall) == 1; }));
}

TEST(Limits, UnreadBytesOfAnAddressAndOfAllAreCountedByTheirNames) {
  for (const bool all : {false, true}) {
    NetConfig net;
    net.unread_bytes = {all ? 900'000 : 8 * kMegabyte, all ? 8 * kMegabyte : 900'000, 8 * kMegabyte};
    net.answer_stall_ms_max = 120'000;
    LiveLoop live(net);
    live.publish("big.A", kBig);
    RawClient slow(live.loop.port(), 4096, kGreedy);
    slow.send("GET /v1/snapshot/big.A HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const Limit limit = all ? Limit::kUnread : Limit::kUnreadPerAddress;
    EXPECT_TRUE(eventually([&] { return live.limited(limit) == 1; })) << name_of(limit);
  }
}

TEST(Limits, MemoryToInflateOfOneConnection) {
  NetConfig net;
  net.inflater_bytes = {kMegabyte, kMegabyte, 10'000};
  LiveLoop live(net);
  RawClient client = live.connect();
  EXPECT_EQ(client.upgrade("Sec-WebSocket-Extensions: permessage-deflate\r\n"), 101);
  EXPECT_NE(client.read_text().find("welcome"), std::string::npos);
  client.send(RawClient::frame(kText, Standalone().compress(R"({"type":"ping"})").substr(0, 4), false, 0x40));
  EXPECT_EQ(client.read_close_code(), 1013);
  EXPECT_EQ(live.limited(Limit::kInflaterPerConnection), 1U);
}

// A process that was stopped, or a machine that slept.
TEST(Limits, AStandstillOfTheServerIsNoDelayOfItsClients) {
  NetConfig net;
  net.message_ms_max = 1'500;
  LiveLoop live(net);
  RawClient client = live.connect_ws();
  const std::string message = RawClient::frame(kText, R"({"type":"ping","id":1})");
  client.send(message.substr(0, 10));
  EXPECT_TRUE(live.answers());
  std::promise<void> stands;
  std::promise<void> goes;
  live.loop.shard().post([&] {
    stands.set_value();
    goes.get_future().wait();
  });
  stands.get_future().wait();
  client.send(message.substr(10));
  std::this_thread::sleep_for(std::chrono::milliseconds(net.message_ms_max + 500));
  goes.set_value();
  EXPECT_NE(client.read_text().find("pong"), std::string::npos);
}

TEST(Limits, AMessageThatWasBegunMustBeCompleteInTime) {
  NetConfig net;
  net.message_ms_max = 300;
  LiveLoop live(net);
  RawClient quick = live.connect_ws();
  RawClient frames = live.connect_ws();
  RawClient bytes = live.connect_ws();
  frames.send(RawClient::frame(kText, "{", false));
  bytes.send(RawClient::frame(kText, std::string(100, 'x')).substr(0, 50));
  EXPECT_EQ(frames.read_close_code(), 1013);
  EXPECT_EQ(bytes.read_close_code(), 1013);
  EXPECT_EQ(live.limited(Limit::kMessageTime), 2U);
  const std::string command = R"({"type":"ping","id":1})";
  EXPECT_TRUE(quick.send(RawClient::frame(kText, command.substr(0, 5), false) +
                         RawClient::frame(kContinuation, command.substr(5))));
  EXPECT_NE(quick.read_text().find("pong"), std::string::npos);
}

}  // namespace
}  // namespace tickwire
