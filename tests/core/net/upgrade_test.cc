#include "net/upgrade.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "net/header_text.h"

namespace tickwire {
namespace {

UpgradeRequest good() {
  return {"/ws", "HTTP/1.1", "localhost", "websocket", "Upgrade", "dGhlIHNhbXBsZSBub25jZQ==", "13", "", ""};
}

struct Row {
  std::string what;
  std::function<void(UpgradeRequest&)> change;
  int status;  // 101: accepted
};

const std::vector<Row>& cases() {
  static const std::vector<Row> all{
      {"as it should be", [](auto&) {}, 101},
      {"Firefox's Connection", [](auto& r) { r.connection = "keep-alive, Upgrade"; }, 101},
      {"another case of websocket", [](auto& r) { r.upgrade = "WebSocket"; }, 101},
      {"our subprotocol among others", [](auto& r) { r.subprotocols = "graphql-ws, tickwire.v1.json"; }, 101},
      {"MessagePack", [](auto& r) { r.subprotocols = "tickwire.v1.msgpack"; }, 101},
      {"CBOR after one unknown", [](auto& r) { r.subprotocols = "tickwire.v2.cbor,tickwire.v1.cbor"; }, 101},
      {"all of ours",
       [](auto& r) { r.subprotocols = "tickwire.v1.cbor, tickwire.v1.msgpack, tickwire.v1.json"; }, 101},
      {"h2c", [](auto& r) { r.upgrade = "h2c"; }, 400},
      {"websocket among other upgrades", [](auto& r) { r.upgrade = "h2c,\tWebSocket"; }, 101},
      {"POST", [](auto& r) { r.path = ""; }, 405},
      {"echo where it is off", [](auto& r) { r.path = "/echo"; }, 404},
      {"another path", [](auto& r) { r.path = "/wss"; }, 404},
      {"HTTP/1.0", [](auto& r) { r.version = "HTTP/1.0"; }, 400},
      {"no Host", [](auto& r) { r.host = ""; }, 400},
      {"Connection without upgrade", [](auto& r) { r.connection = "keep-alive"; }, 400},
      {"version 8", [](auto& r) { r.websocket_version = "8"; }, 426},
      {"no version", [](auto& r) { r.websocket_version = ""; }, 400},
      {"no key", [](auto& r) { r.key = ""; }, 400},
      {"a key of 15 bytes", [](auto& r) { r.key = "dGhlIHNhbXBsZSBub25j"; }, 400},
      {"a key that is not base64", [](auto& r) { r.key = "dGhlIHNhbXBsZSBub25j!!=="; }, 400},
      {"a key with bits to spare", [](auto& r) { r.key = "dGhlIHNhbXBsZSBub25jZR=="; }, 400},
      {"unknown subprotocols", [](auto& r) { r.subprotocols = "mqtt, graphql-ws"; }, 400},
      {"our subprotocol in capitals", [](auto& r) { r.subprotocols = "TICKWIRE.V1.JSON"; }, 400},
  };
  return all;
}

TEST(Upgrade, IsCheckedAsRfc6455Says) {
  for (const Row& c : cases()) {
    UpgradeRequest request = good();
    c.change(request);
    const auto refusal = check_upgrade(request);
    EXPECT_EQ(refusal ? refusal->status : 101, c.status) << c.what;
  }
}

TEST(Upgrade, ARefusalNamesTheFieldAndTheValueAllowed) {
  UpgradeRequest request = good();
  request.websocket_version = "8";
  const auto refusal = check_upgrade(request);
  ASSERT_TRUE(refusal.has_value());
  EXPECT_EQ(refusal->error.message, "Sec-WebSocket-Version: must be 13");
  EXPECT_EQ(refusal->error.field, "Sec-WebSocket-Version");
}

TEST(Upgrade, TheAnswerNamesWhatWasAgreedOn) {
  UpgradeRequest request = good();
  request.connection = "keep-alive, Upgrade";
  request.subprotocols = "mqtt, tickwire.v1.cbor, tickwire.v1.json";
  request.extensions =
      "x-mux, permessage-deflate; server_max_window_bits=10, permessage-deflate; "
      "server_no_context_takeover; client_max_window_bits";
  const Agreement agreement = agree(request);
  EXPECT_EQ(agreement.format, Format::kCbor);
  EXPECT_EQ(upgrade_answer(request, agreement),
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
            "Sec-WebSocket-Protocol: tickwire.v1.cbor\r\n"
            "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r\n\r\n");
  const UpgradeRequest plain = good();
  EXPECT_EQ(agree(plain).format, Format::kJson);
  EXPECT_EQ(upgrade_answer(plain, agree(plain)).find("Sec-WebSocket-Protocol"), std::string::npos);
}

TEST(HeaderText, FindsAnElementOfAList) {
  EXPECT_TRUE(list_holds(" a ,\tB,c", "b", Case::kIgnored));
  EXPECT_FALSE(list_holds(" a ,\tB,c", "b", Case::kExact));
  EXPECT_TRUE(list_holds("a,,b", "b", Case::kExact));
  EXPECT_FALSE(list_holds("ab", "a", Case::kExact));
  EXPECT_FALSE(list_holds("", "a", Case::kExact));
}

}  // namespace
}  // namespace tickwire
