#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "codec/standalone.h"
#include "live_loop.h"

namespace tickwire {
namespace {

constexpr int kRsv1 = 0x40;

const std::string kPingCommand = R"({"type":"ping","id":1})";

// What arrives in one segment before the bytes that a test is about. Behind a handshake, and behind a command
// that holds the reading, they have been read before they may be looked at.
struct Before {
  std::string what;
  bool with_handshake;
  std::string bytes;
};
const std::array kBefore{
    Before{"", false, ""},
    Before{", in one segment with the handshake", true, ""},
    Before{", behind a message that a worker reads", false,
           RawClient::frame(kText, R"({"type":"ping","id":1,"more":")" + std::string(70'000, 'x') + R"("})")},
};

RawClient connect_and_send(LiveLoop& live, const Before& before, const std::string& bytes) {
  if (!before.with_handshake) {
    RawClient client = live.connect_ws();
    client.send(before.bytes + bytes);
    return client;
  }
  RawClient client = live.connect();
  client.send(RawClient::upgrade_request() + before.bytes + bytes);
  EXPECT_EQ(client.reply(false).status, 101);
  return client;
}

TEST(WebSocket, HandshakeNamesTheSubprotocolThatWasAskedFor) {
  LiveLoop live;
  RawClient with = live.connect();
  with.send(RawClient::upgrade_request("Sec-WebSocket-Protocol: foo, tickwire.v1.json\r\n"));
  const HttpReply accepted = with.reply(false);
  EXPECT_EQ(accepted.status, 101);
  EXPECT_NE(accepted.head.find("Sec-WebSocket-Protocol: tickwire.v1.json\r\n"), std::string::npos);
  EXPECT_NE(accepted.head.find("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), std::string::npos);
  RawClient without = live.connect();
  without.send(RawClient::upgrade_request());
  EXPECT_EQ(without.reply(false).head.find("Sec-WebSocket-Protocol"), std::string::npos);
  EXPECT_NE(without.read_text().find(R"("type":"welcome")"), std::string::npos);
}

TEST(WebSocket, HandshakeTakesTheDeflateOfferThatItCanKeep) {
  struct Case {
    std::string offer;
    std::string answer;  // empty: uncompressed
  };
  const std::vector<Case> cases{
      {"permessage-deflate", "permessage-deflate"},
      {"permessage-deflate; client_max_window_bits", "permessage-deflate"},
      {"permessage-deflate; server_no_context_takeover; client_max_window_bits=12",
       "permessage-deflate; server_no_context_takeover"},
      {"permessage-deflate; server_max_window_bits=10", ""},
      {"permessage-deflate; server_max_window_bits=10, permessage-deflate", "permessage-deflate"},
      {"permessage-deflate, permessage-deflate; client_max_window_bits", "permessage-deflate"},
      {"permessage-deflate, permessage-deflate; server_max_window_bits=10", "permessage-deflate"},
      {"permessage-deflate; nonsense", ""},
      {"x-webkit-deflate-frame", ""},
  };
  LiveLoop live;
  for (const Case& c : cases) {
    RawClient client = live.connect();
    client.send(RawClient::upgrade_request("Sec-WebSocket-Extensions: " + c.offer + "\r\n"));
    const HttpReply reply = client.reply(false);
    EXPECT_EQ(reply.status, 101) << c.offer;
    const std::string name = "Sec-WebSocket-Extensions: ";
    const std::size_t at = reply.head.find(name);
    const std::string answer =
        at == std::string::npos
            ? ""
            : reply.head.substr(at + name.size(), reply.head.find("\r\n", at) - at - name.size());
    EXPECT_EQ(answer, c.answer) << c.offer;
    EXPECT_NE(client.read_text().find("welcome"), std::string::npos) << "control messages go plain";
  }
}

// What check_upgrade says is tested with it; here: that it is asked.
TEST(WebSocket, ARefusedHandshakeIsAnsweredAndEnds) {
  NetConfig net;
  net.origins = {"https://shop.example"};
  LiveLoop live(net);
  struct Case {
    std::string request;
    int status;
  };
  const std::string good = RawClient::upgrade_request();
  const auto changed = [&](const std::string& from, const std::string& to) {
    std::string request = good;
    return request.replace(request.find(from), from.size(), to);
  };
  const std::vector<Case> cases{
      {changed("/ws", "/other"), 404},
      {changed("/ws", "/"), 404},
      {changed("GET", "POST"), 405},
      {changed("HTTP/1.1", "HTTP/1.0"), 400},
      {changed("Host: localhost\r\n", ""), 400},
      {changed("Version: 13", "Version: 8"), 426},
      {changed("Version: 13", "Version: 13\r\nSec-WebSocket-Version: 8"), 400},
      {changed("Connection: Upgrade", "Connection: close"), 400},
      {changed("dGhlIHNhbXBsZSBub25jZQ==", "c2hvcnQ="), 400},
      {changed("dGhlIHNhbXBsZSBub25jZQ==", std::string(500, 'A')), 400},
      {changed("Upgrade: websocket", "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__"), 400},
      {changed("Upgrade: websocket", "Upgrade: irc"), 400},
      {RawClient::upgrade_request("Sec-WebSocket-Protocol: mqtt\r\n"), 400},
      {RawClient::upgrade_request("Sec-WebSocket-Protocol: tickwire-watch\r\n"), 400},
      {RawClient::upgrade_request("Origin: https://evil.example\r\n"), 403},
  };
  for (const Case& c : cases) {
    RawClient client = live.connect();
    client.send(c.request);
    EXPECT_EQ(client.reply().status, c.status) << c.request;
    EXPECT_TRUE(client.ended()) << c.request;
  }
  RawClient allowed = live.connect();
  EXPECT_EQ(allowed.upgrade("Origin: https://shop.example\r\n"), 101);
}

TEST(WebSocket, TokenOfTheUrlReachesTheSession) {
  LiveLoop live;
  RawClient client = live.connect();
  std::string request = RawClient::upgrade_request();
  request.replace(request.find("/ws"), 3, "/ws?x=1&token=" + std::string(8192, 't'));
  client.send(request);
  EXPECT_EQ(client.reply(false).status, 101);
  EXPECT_NE(client.read_text().find("welcome"), std::string::npos);
  // A server without an authenticator answers a token by saying that nobody judged it: so it arrived.
  EXPECT_NE(client.read_text().find(R"("judged":false)"), std::string::npos);
}

TEST(WebSocket, MessagesArriveHoweverTheyAreCut) {
  LiveLoop live;
  RawClient client = live.connect_ws();
  const std::string whole = RawClient::frame(kText, kPingCommand);
  for (const char byte : whole) EXPECT_TRUE(client.send({&byte, 1}));
  EXPECT_NE(client.read_text().find("pong"), std::string::npos);

  std::string fragments = RawClient::frame(kText, kPingCommand.substr(0, 5), false);
  fragments += RawClient::frame(kContinuation, "", false);
  fragments += RawClient::frame(kPing, "between");
  fragments += RawClient::frame(kContinuation, kPingCommand.substr(5), true);
  fragments += whole + whole;  // and two more in the same read
  EXPECT_TRUE(client.send(fragments));
  int pongs = 0;
  int answers = 0;
  while (answers < 3 || pongs == 0) {
    const auto frame = client.read_frame();
    ASSERT_TRUE(frame.has_value());
    if (frame->opcode == kPong) pongs += frame->payload == "between" ? 1 : 0;
    if (frame->opcode == kText) ++answers;
  }
  EXPECT_EQ(pongs, 1);
}

TEST(WebSocket, TakesAMessageAtTheLimitAndClosesOnePast) {
  LiveLoop live;
  RawClient client = live.connect_ws();
  const std::string command = R"({"type":"ping","id":1,"pad":")";
  const std::string text = command + std::string(kMessageBytesMax - command.size() - 2, 'x') + "\"}";
  ASSERT_EQ(text.size(), kMessageBytesMax);
  EXPECT_TRUE(client.send_text(text));
  EXPECT_NE(client.read_text().find("pong"), std::string::npos);
  for (std::size_t at = 0; at < text.size(); at += 100'000) {
    const std::string_view piece = std::string_view(text).substr(at, 100'000);
    client.send(RawClient::frame(at == 0 ? kText : kContinuation, piece, at + piece.size() == text.size()));
  }
  EXPECT_NE(client.read_text().find("pong"), std::string::npos);
  EXPECT_EQ(live.limited(Limit::kMessageBytes), 0U);
  client.send_text(text + " ");
  EXPECT_EQ(client.read_close_code(), 1009);
  EXPECT_EQ(live.limited(Limit::kMessageBytes), 1U);

  RawClient announced = live.connect_ws();  // refused by what its header says
  std::string header = RawClient::frame(kText, std::string(70'000, 'x')).substr(0, 14);
  header[2] = '\x7F';
  announced.send(header + "x");
  EXPECT_EQ(announced.read_close_code(), 1009);
}

TEST(WebSocket, BrokenFramesCloseWithTheirCode) {
  LiveLoop live;
  struct Case {
    std::string what;
    std::string bytes;
    int code;
  };
  const std::string half_character = "\xE2\x82";
  const std::vector<Case> cases{
      {"not UTF-8", RawClient::frame(kText, "\xFF"), 1007},
      {"not UTF-8 in a later piece",
       RawClient::frame(kText, "a", false) + RawClient::frame(kContinuation, "\xC3(", false), 1007},
      {"ends inside a character",
       RawClient::frame(kText, half_character, false) + RawClient::frame(kContinuation, "", true), 1007},
      {"binary", RawClient::frame(kBinary, "x"), 4501},
      {"reserved bit 1", RawClient::frame(kText, "x", true, 0x40), 1002},
      {"reserved bit 2", RawClient::frame(kText, "x", true, 0x20), 1002},
      {"unknown opcode", RawClient::frame(3, "x"), 1002},
      {"unknown control opcode", RawClient::frame(11, "x"), 1002},
      {"continuation of nothing", RawClient::frame(kContinuation, "x"), 1002},
      {"a message inside another", RawClient::frame(kText, "x", false) + RawClient::frame(kText, "y"), 1002},
      {"a ping in pieces", RawClient::frame(kPing, "x", false), 1002},
      {"close frame of one byte", RawClient::frame(kClose, "x"), 1002},
      {"close without a code", RawClient::frame(kClose, ""), 0},
      {"close", RawClient::frame(kClose, close_payload(1000, "bye")), 1000},
      {"close with a reserved code", RawClient::frame(kClose, close_payload(1005)), 1002},
      {"close of the application", RawClient::frame(kClose, close_payload(4000)), 4000},
  };
  for (const Case& c : cases) {
    for (const Before& before : kBefore) {
      RawClient client = connect_and_send(live, before, c.bytes);
      EXPECT_EQ(client.read_close_code(), c.code) << c.what << before.what;
      // After what cannot be understood, no answer is waited for.
      if (c.code != 1002) client.send(RawClient::frame(kClose, close_payload(c.code)));
      EXPECT_TRUE(client.ended()) << c.what << before.what;
    }
  }
  EXPECT_TRUE(live.answers());
}

TEST(WebSocket, OfAClientThatSendsOnBehindTheCloseNotMuchIsRead) {
  LiveLoop live;
  const std::string megabyte(1U << 20U, 'x');
  for (const std::string& fault : {RawClient::frame(3, "x"), RawClient::frame(kBinary, "x")}) {
    RawClient client = live.connect_ws();
    ASSERT_TRUE(client.send(fault));
    int sent = 0;
    while (sent < 256 && client.send(RawClient::frame(kText, megabyte))) ++sent;
    EXPECT_LT(sent, 64) << "in MB, those of the kernel's buffers included";
  }
  EXPECT_TRUE(live.answers());
}

TEST(WebSocket, APingIsAnsweredWhateverWasReadBeforeIt) {
  LiveLoop live;
  for (const Before& before : kBefore) {
    RawClient client = connect_and_send(live, before, RawClient::frame(kPing, "are you there?"));
    std::optional<Frame> frame = client.read_frame();
    while (frame && frame->opcode != kPong) frame = client.read_frame();
    ASSERT_TRUE(frame.has_value()) << before.what;
    EXPECT_EQ(frame->payload, "are you there?") << before.what;
  }
}

TEST(WebSocket, APingOf125BytesIsAnswered) {
  LiveLoop live;
  RawClient client = live.connect_ws();
  client.send(RawClient::frame(kPing, std::string(125, 'x')));
  const auto pong = client.read_frame();
  ASSERT_TRUE(pong.has_value());
  EXPECT_EQ(pong->payload, std::string(125, 'x'));
}

TEST(WebSocket, WhatFollowsAFaultIsNotRead) {
  LiveLoop live;
  live.access.publish = true;
  RawClient client = live.connect_ws();
  client.send(RawClient::frame(kBinary, "x") + RawClient::frame(kText, kPingCommand));
  const auto frame = client.read_frame();
  ASSERT_TRUE(frame.has_value());
  EXPECT_EQ(frame->opcode, kClose);
}

TEST(WebSocket, CompressedMessagesArriveHoweverLongAndCut) {
  LiveLoop live;
  RawClient client = live.connect();
  EXPECT_EQ(client.upgrade("Sec-WebSocket-Extensions: permessage-deflate\r\n"), 101);
  EXPECT_NE(client.read_text().find("welcome"), std::string::npos);
  Standalone compressor;
  std::string text = R"({"type":"ping","id":1,"pad":")";
  for (int i = 0; i < 20'000; ++i) text += std::to_string(i * 7919);  // many reads long, also compressed
  const std::string payload = compressor.compress(text + R"("})");
  EXPECT_TRUE(client.send(RawClient::frame(kText, payload, true, kRsv1)));
  EXPECT_NE(client.read_text().find("pong"), std::string::npos);
  const std::size_t half = payload.size() / 2;
  EXPECT_TRUE(client.send(RawClient::frame(kText, std::string_view(payload).substr(0, half), false, kRsv1) +
                          RawClient::frame(kPing, "between") +
                          RawClient::frame(kContinuation, std::string_view(payload).substr(half))));
  EXPECT_NE(client.read_text().find("pong"), std::string::npos);
  EXPECT_TRUE(client.send_text(kPingCommand));
  EXPECT_NE(client.read_text().find("pong"), std::string::npos);
}

TEST(WebSocket, BrokenCompressionCloses) {
  LiveLoop live;
  Standalone compressor;
  const std::string half = compressor.compress(kPingCommand).substr(0, 4);
  struct Case {
    std::string what;
    std::string bytes;
    int code;
  };
  const std::vector<Case> cases{
      {"no deflate stream", RawClient::frame(kText, "\xFF\xFF\xFF", true, kRsv1), 1002},
      {"none in the second piece",
       RawClient::frame(kText, half, false, kRsv1) + RawClient::frame(kContinuation, "\xFF\xFF\xFF"), 1002},
      {"the bit on a second frame",
       RawClient::frame(kText, half, false, kRsv1) + RawClient::frame(kContinuation, "x", true, kRsv1), 1002},
      {"a bomb",
       RawClient::frame(kText, compressor.compress(std::string(kMessageBytesMax + 1, 'x')), true, kRsv1),
       1009},
      {"binary in the midst of it",
       RawClient::frame(kText, half, false, kRsv1) + RawClient::frame(kBinary, "x"), 1002},
  };
  for (const Case& c : cases) {
    RawClient client = live.connect();
    EXPECT_EQ(client.upgrade("Sec-WebSocket-Extensions: permessage-deflate\r\n"), 101);
    client.send(c.bytes);
    EXPECT_EQ(client.read_close_code(), c.code) << c.what;
  }
  EXPECT_TRUE(live.answers());
}

TEST(WebSocket, WhatClientsTakeToInflateIsBounded) {
  NetConfig net;
  net.inflater_bytes = {100'000, 50'000, 50'000};  // two, with their windows
  LiveLoop live(net);
  const std::string begun =
      RawClient::frame(kText, Standalone().compress(kPingCommand).substr(0, 4), false, kRsv1);
  std::vector<RawClient> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(live.connect());
    EXPECT_EQ(clients.back().upgrade("Sec-WebSocket-Extensions: permessage-deflate\r\n"), 101);
    EXPECT_NE(clients.back().read_text().find("welcome"), std::string::npos);
  }
  for (RawClient& client : clients) {
    client.send(begun + RawClient::frame(kPing, ""));
    const auto frame = client.read_frame();
    ASSERT_TRUE(frame.has_value());
    EXPECT_EQ(frame->opcode == kClose ? frame->close_code() : 0, &client == &clients.back() ? 1013 : 0);
  }
  RawClient late = live.connect();  // is not offered what there is no memory for
  late.send(RawClient::upgrade_request("Sec-WebSocket-Extensions: permessage-deflate\r\n"));
  EXPECT_EQ(late.reply(false).head.find("permessage-deflate"), std::string::npos);
}

}  // namespace
}  // namespace tickwire
