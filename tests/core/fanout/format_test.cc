// What a session's format changes (its bytes, both ways) and what it does not.
#include "plant.h"

namespace tickwire {
namespace {

constexpr std::array kBinaryFormats{Format::kMsgpack, Format::kCbor};

TEST(SessionFormat, EveryKindOfMessageIsInIt) {
  for (const Format format : kBinaryFormats) {
    Plant plant({}, {{"e.>", Delivery::kEvent, 2, 0}});
    plant.publish("v.a", R"({"p":"0.10"})");
    plant.publish("e.a", R"({"n":1})");
    Client client(plant, {}, Compression::kNone, format);
    client.say(R"({"type":"subscribe","id":1,"topics":["v.a","e.a","no!"]})");
    client.say(R"({"type":"ping","id":"x"})");
    client.block();
    plant.publish("v.a", R"({"p":"0.20","q":1.5})");
    plant.run();
    for (int i = 2; i < 6; ++i) plant.publish("e.a", R"({"n":2})");
    plant.run();
    client.unblock();
    plant.run();
    ASSERT_TRUE(plant.hub.set_status("v.a", TopicStatus::kHalted));
    plant.run();
    plant.clock.advance_ms(16'000);
    plant.shard.tick();
    plant.shard.drain(0);
    const auto messages = client.socket.take();  // which reads them in that format
    std::vector<std::string> types;
    for (const auto& message : messages) types.push_back(message["type"]);
    EXPECT_EQ(types, (Lines{"welcome", "ack", "snapshot", "snapshot", "pong", "update", "gap", "update",
                            "update", "status", "heartbeat", "drain"}));
    EXPECT_EQ(messages[1]["results"][2]["error"]["code"], "bad_topic");
    EXPECT_EQ(messages[2]["data"]["p"], "0.10");
    EXPECT_EQ(messages[4]["id"], "x");
    EXPECT_EQ(messages[5]["data"], nlohmann::json::parse(R"({"p":"0.20","q":1.5})"));
  }
}

TEST(SessionFormat, OnesPublishIsAnothersUpdate) {
  Plant plant;
  plant.access.publish = true;
  Client text(plant);
  Client msgpack(plant, {}, Compression::kNone, Format::kMsgpack);
  Client cbor(plant, {}, Compression::kContext, Format::kCbor);
  const std::vector<Client*> clients{&text, &msgpack, &cbor};
  for (Client* client : clients) client->subscribe("t.a");
  for (Client* client : clients) client->socket.take();
  const std::string data = R"({"i":18446744073709551615,"f":1.5,"s":"0.10","n":null,"l":[{}]})";
  for (Client* client : clients) {
    client->say(R"({"type":"publish","topic":"t.a","data":)" + data + "}");
    plant.run();
    client->socket.texts.erase(client->socket.texts.begin());  // the ack
    for (Client* hearer : clients) {
      const auto messages = hearer->socket.take();
      ASSERT_EQ(messages.size(), 1U);
      EXPECT_EQ(messages[0]["data"], nlohmann::json::parse(data));
    }
  }
}

TEST(SessionFormat, BytesThatAreNoCommandAreAnsweredAndForgiven) {
  for (const Format format : kBinaryFormats) {
    Plant plant;
    Client client(plant, {}, Compression::kNone, format);
    client.socket.take();
    client.say_bytes(R"({"type":"ping"})");
    const auto refused = client.socket.take();
    ASSERT_EQ(refused.size(), 1U);
    EXPECT_EQ(refused[0]["type"], "error");
    EXPECT_EQ(refused[0]["code"], "bad_message");
    client.say(R"({"type":"ping"})");
    EXPECT_EQ(client.heard(), Lines{"pong"});
    EXPECT_EQ(client.socket.close_code, 0);
  }
}

TEST(SessionFormat, CommandsThatWaitForAnAuthenticatorAreReadInIt) {
  for (const Format format : kBinaryFormats) {
    Plant plant;
    plant.access.authenticator = true;
    Client client(plant, {}, Compression::kNone, format);
    client.say(R"({"type":"auth","id":1,"token":"t"})");
    client.say(R"({"type":"ping","id":2})");
    EXPECT_EQ(client.heard(), Lines{"welcome"});
    plant.shard.answer({plant.access.questions.at(0).id, Ruling::kAllow, 0, "{}"});
    plant.run();
    EXPECT_EQ(client.heard(), (Lines{"ack", "pong"}));
  }
}

}  // namespace
}  // namespace tickwire
