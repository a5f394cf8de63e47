#include "answering.h"

namespace tickwire {
namespace {

TEST(Publish, IsDeniedUnlessAllowed) {
  Answering plant;
  Client client(plant);
  client.heard();
  client.say(R"({"type":"publish","id":1,"topic":"a","data":{"p":1}})");
  EXPECT_EQ(client.socket.take().at(0)["code"], "denied");
  plant.access.publish = true;
  client.say(R"({"type":"publish","id":2,"topic":"a","data":{"p":1.00}})");
  EXPECT_EQ(client.socket.take().at(0)["results"][0]["seq"], 1);
  EXPECT_EQ(plant.hub.find("a")->data(), R"({"p":1.00})");
  client.say(R"({"type":"publish","id":3,"topic":"a b","data":{}})");
  EXPECT_EQ(client.socket.take().at(0)["code"], "bad_topic");
  client.say(R"({"type":"publish","id":4,"topic":"guarded.a","data":{"p":2}})");
  plant.answer(deny(plant.access.questions[0], "not yours"));
  EXPECT_EQ(client.socket.take().at(0)["message"], "guarded.a: not yours");
}

TEST(List, PagesThroughTheTopicsThatExist) {
  Plant plant;
  for (const char* topic : {"t.c", "t.a", "u.x", "t.b"}) plant.publish(topic, "{}");
  Client client(plant);
  client.subscribe("t.nothing-yet");
  client.socket.take();
  client.say(R"({"type":"list","pattern":"t.*","limit":2})");
  auto ack = client.socket.take().at(0);
  EXPECT_EQ(ack["topics"], (nlohmann::json{"t.a", "t.b"}));
  EXPECT_EQ(ack["next"], "t.b");
  client.say(R"({"type":"list","pattern":"t.*","limit":2,"after":"t.b"})");
  ack = client.socket.take().at(0);
  EXPECT_EQ(ack["topics"], (nlohmann::json{"t.c"}));
  EXPECT_FALSE(ack.contains("next"));
}

TEST(List, LeavesOutTheNamesOfGuardedTopics) {
  Plant plant;
  for (const char* topic : {"a", "guarded.b", "secret.c", "t"}) plant.publish(topic, "{}");
  Client client(plant);
  client.socket.take();
  client.say(R"({"type":"list"})");
  auto ack = client.socket.take().at(0);
  EXPECT_EQ(ack["topics"], (nlohmann::json{"a", "t"}));
  EXPECT_FALSE(ack.contains("next"));
  client.say(R"({"type":"list","limit":3})");
  ack = client.socket.take().at(0);
  EXPECT_EQ(ack["topics"], (nlohmann::json{"a", "t"}));
  EXPECT_FALSE(ack.contains("next"));
  client.say(R"({"type":"list","limit":1})");
  ack = client.socket.take().at(0);
  EXPECT_EQ(ack["topics"], (nlohmann::json{"a"}));
  EXPECT_EQ(ack["next"], "a");
  client.say(R"({"type":"list","limit":1,"after":"a"})");
  ack = client.socket.take().at(0);
  EXPECT_EQ(ack["topics"], (nlohmann::json{"t"}));
  EXPECT_FALSE(ack.contains("next")) << "nor does it say that only guarded ones follow";
}

}  // namespace
}  // namespace tickwire
