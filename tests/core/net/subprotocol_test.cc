#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "live_loop.h"
#include "protocol/format.h"

namespace tickwire {
namespace {

using nlohmann::json;

constexpr int kText = 1;
constexpr int kBinary = 2;

TEST(Subprotocol, TheClientsFirstSubprotocolThatWeSpeakIsTheFormat) {
  struct Case {
    std::string offered;
    std::string agreed;
    Format format;
  };
  const std::vector<Case> cases{
      {"tickwire.v1.msgpack", "tickwire.v1.msgpack", Format::kMsgpack},
      {"tickwire.v1.cbor, tickwire.v1.json", "tickwire.v1.cbor", Format::kCbor},
      {"tickwire.v1.json,tickwire.v1.cbor", "tickwire.v1.json", Format::kJson},
      {"graphql-ws, tickwire.v1.msgpack, tickwire.v1.cbor", "tickwire.v1.msgpack", Format::kMsgpack},
  };
  LiveLoop live;
  for (const Case& c : cases) {
    SCOPED_TRACE(c.offered);
    RawClient client = live.connect();
    client.send(RawClient::upgrade_request("Sec-WebSocket-Protocol: " + c.offered + "\r\n"));
    const HttpReply reply = client.reply(false);
    EXPECT_NE(reply.head.find("Sec-WebSocket-Protocol: " + c.agreed + "\r\n"), std::string::npos);
    const auto welcome = client.read_frame();
    ASSERT_TRUE(welcome.has_value());
    EXPECT_EQ(welcome->opcode, c.format == Format::kJson ? kText : kBinary);
    const json message = c.format == Format::kMsgpack ? json::from_msgpack(welcome->payload)
                         : c.format == Format::kCbor  ? json::from_cbor(welcome->payload)
                                                      : json::parse(welcome->payload);
    EXPECT_EQ(message["type"], "welcome");
  }
}

// lws knows a protocol for its watched descriptors, too.
TEST(Subprotocol, NoneButOursCanBeReached) {
  LiveLoop live;
  for (const std::string name : {"tickwire-watch", "tickwire watch", "\"tickwire watch\""}) {
    RawClient client = live.connect();
    const int status = client.upgrade("Sec-WebSocket-Protocol: " + name + ", tickwire.v1.json\r\n");
    if (status == 101) {
      EXPECT_NE(client.read_text().find("welcome"), std::string::npos) << name;
    } else {
      EXPECT_TRUE(client.ended()) << name << " " << status;
    }
  }
}

const std::string kPing = R"({"type":"ping"})";

TEST(Subprotocol, WhereABinaryFormatIsSpokenTextEndsTheConnection) {
  LiveLoop live;
  RawClient client = live.connect();
  EXPECT_EQ(client.upgrade("Sec-WebSocket-Protocol: tickwire.v1.cbor\r\n"), 101);
  ASSERT_TRUE(client.read_frame().has_value());
  const auto ping = json::to_cbor(json::parse(kPing));
  client.send(RawClient::frame(kBinary, std::string(ping.begin(), ping.end())));
  const auto pong = client.read_frame();
  ASSERT_TRUE(pong.has_value());
  EXPECT_EQ(json::from_cbor(pong->payload)["type"], "pong");
  client.send(RawClient::frame(kText, kPing));
  EXPECT_EQ(client.read_close_code(), 4501);
}

}  // namespace
}  // namespace tickwire
