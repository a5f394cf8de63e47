// What RFC 6455 asks of a server, on the wire: what frame_reader_test.cc cannot show.
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "codec/inflater.h"
#include "codec/standalone.h"
#include "live_loop.h"

namespace tickwire {
namespace {

TEST(Rfc6455, AFrameWithoutAMaskIsFailed) {
  LiveLoop live;
  RawClient client = live.connect_ws();
  client.send(std::string("\x81\x02{}"));
  EXPECT_EQ(client.read_close_code(), 1002);
  EXPECT_TRUE(client.ended());
}

TEST(Rfc6455, AControlFrameThatIsTooLongIsFailedWithACloseFrame) {
  LiveLoop live;
  for (const int opcode : {kPing, kPong, kClose}) {
    RawClient client = live.connect_ws();
    client.send(RawClient::frame(opcode, std::string(126, 'x')));
    EXPECT_EQ(client.read_close_code(), 1002) << opcode;
    EXPECT_TRUE(client.ended()) << opcode;
  }
}

TEST(Rfc6455, AFaultEndsTheConnectionWithoutAWaitForTheClient) {
  LiveLoop live;
  RawClient client = live.connect_ws();
  client.send(RawClient::frame(kText, "x", true, 0x20));
  EXPECT_EQ(client.read_close_code(), 1002);
  EXPECT_TRUE(client.ended());
  EXPECT_TRUE(eventually([&] { return live.loop.shard().stats().sessions == 0; }));
}

TEST(Rfc6455, TheLatestOfSeveralPingsIsAnswered) {
  LiveLoop live;
  RawClient client = live.connect_ws();
  std::string pings;
  for (const char* text : {"first", "second", "third"}) pings += RawClient::frame(kPing, text);
  client.send(pings);
  const auto pong = client.read_frame();
  ASSERT_TRUE(pong.has_value());
  EXPECT_EQ(pong->opcode, kPong);
  EXPECT_EQ(pong->payload, "third");
}

TEST(Rfc6455, ACloseIsAnsweredWithItsCode) {
  LiveLoop live;
  for (const int code : {1000, 1001, 1003, 1007, 1011, 1012, 1013, 1014, 3000, 4999}) {
    RawClient client = live.connect_ws();
    client.send(RawClient::frame(kClose, close_payload(code, "bye")));
    EXPECT_EQ(client.read_close_code(), code);
    EXPECT_TRUE(client.ended());
  }
}

TEST(Rfc6455, ACloseReasonThatIsNotUtf8IsFailed) {
  LiveLoop live;
  RawClient client = live.connect_ws();
  client.send(RawClient::frame(kClose, close_payload(1000, "\xFF")));
  EXPECT_EQ(client.read_close_code(), 1007);
}

TEST(Rfc6455, NothingBehindACloseIsLookedAtAndTheAnswerIsNotLost) {
  LiveLoop live;
  RawClient client = live.connect_ws();
  client.send(RawClient::frame(kClose, close_payload(1000)) + std::string(100'000, 'x'));
  EXPECT_EQ(client.read_close_code(), 1000);
  EXPECT_TRUE(client.ended());
}

TEST(Rfc6455, ManySmallMessagesInOneSegmentAreAllAnswered) {
  LiveLoop live;
  RawClient client = live.connect_ws();
  constexpr int kMessages = 1'000;
  std::string messages;
  for (int i = 0; i < kMessages; ++i) {
    messages += RawClient::frame(kText, R"({"type":"ping","id":)" + std::to_string(i) + "}");
  }
  EXPECT_TRUE(client.send(messages));
  for (int i = 0; i < kMessages; ++i) {
    ASSERT_NE(client.read_text().find("\"id\":" + std::to_string(i) + ","), std::string::npos) << i;
  }
}

TEST(Rfc6455, AnUpgradeOfAnotherVersionIsToldTheRightOne) {
  LiveLoop live;
  RawClient client = live.connect();
  std::string request = RawClient::upgrade_request();
  request.replace(request.find("Version: 13"), 11, "Version: 25");
  client.send(request);
  const HttpReply reply = client.reply();
  EXPECT_EQ(reply.status, 426);
  EXPECT_NE(reply.head.find("Sec-WebSocket-Version: 13\r\n"), std::string::npos);
  EXPECT_EQ(live.get("/ws").status, 426) << "without an upgrade";
}

TEST(Rfc6455, BlanksAndTabsAroundValuesAndListsOfThemAreTaken) {
  LiveLoop live;
  RawClient client = live.connect();
  client.send(
      "GET /ws HTTP/1.1\r\nHost:\tlocalhost \r\nUpgrade: h2c,\t WebSocket\r\nConnection:keep-alive "
      ",\tUPGRADE\t\r\n"
      "Sec-WebSocket-Key:\t dGhlIHNhbXBsZSBub25jZQ== \r\nSec-WebSocket-Version:13\t\r\n\r\n");
  EXPECT_EQ(client.reply(false).status, 101);
}

TEST(Rfc6455, AListOfSubprotocolsMayBeLong) {
  LiveLoop live;
  RawClient client = live.connect();
  std::string list;
  for (int i = 0; i < 300; ++i) list += "unknown-protocol-" + std::to_string(i) + ", ";
  EXPECT_EQ(client.upgrade("Sec-WebSocket-Protocol: " + list + "tickwire.v1.json\r\n"), 101);
}

// --- /echo ---

NetConfig with_echo() {
  NetConfig net;
  net.echo = true;
  return net;
}

RawClient connect_to_echo(LiveLoop& live, const std::string& more = "") {
  RawClient client = live.connect();
  std::string request = RawClient::upgrade_request(more);
  request.replace(request.find("/ws"), 3, "/echo");
  client.send(request);
  EXPECT_EQ(client.reply(false).status, 101);
  return client;
}

TEST(Echo, IsOffUnlessItIsAskedFor) {
  LiveLoop live;
  RawClient client = live.connect();
  std::string request = RawClient::upgrade_request();
  request.replace(request.find("/ws"), 3, "/echo");
  client.send(request);
  EXPECT_EQ(client.reply().status, 404);
}

TEST(Echo, SendsTextAndBinaryBack) {
  LiveLoop live(with_echo());
  RawClient client = connect_to_echo(live);
  for (const std::size_t size : {0U, 1U, 125U, 126U, 65'535U, 65'536U, 1'000'000U}) {
    for (const int opcode : {kText, kBinary}) {
      const std::string payload(size, opcode == kText ? 'x' : '\xFF');
      client.send(RawClient::frame(opcode, payload));
      const auto frame = client.read_frame();
      ASSERT_TRUE(frame.has_value());
      EXPECT_EQ(frame->opcode, opcode);
      EXPECT_EQ(frame->payload, payload);
    }
  }
  client.send(RawClient::frame(kText, "\xFF"));
  EXPECT_EQ(client.read_close_code(), 1007);
}

TEST(Echo, CompressesBothWays) {
  LiveLoop live(with_echo());
  RawClient client = connect_to_echo(live, "Sec-WebSocket-Extensions: permessage-deflate\r\n");
  const std::string message(100'000, 'x');
  client.send(RawClient::frame(kText, Standalone().compress(message), true, 0x40));
  const auto frame = client.read_frame();
  ASSERT_TRUE(frame.has_value());
  EXPECT_LT(frame->payload.size(), 1'000U);
  Inflater inflater{Inflater::Config{}};
  std::string inflated;
  EXPECT_TRUE(inflater.feed(frame->payload, true, inflated));
  EXPECT_EQ(inflated, message);
}

}  // namespace
}  // namespace tickwire
