// Commands that wait for an authorizer hold a share of ShardConfig::waiting_bytes, as others that wait do.
#include "answering.h"
#include "protocol/command.h"

namespace tickwire {
namespace {

constexpr int kTopics = 100;

std::string subscribe_to(int topics, std::size_t name_bytes) {
  std::string text = R"({"type":"subscribe","topics":[)";
  for (int i = 0; i < topics; ++i) {
    std::string name = "guarded." + std::to_string(i) + ".";
    name.resize(name_bytes, 'x');
    text += (i > 0 ? ",\"" : "\"") + name + "\"";
  }
  return text + "]}";
}
std::string publish_of(std::size_t bytes) {
  return R"({"type":"publish","topic":"guarded.a","data":{"x":")" + std::string(bytes, 'x') + "\"}}";
}
ClientInfo at(std::uint32_t address) {
  ClientInfo info;
  info.address = PeerAddress::of_ipv4(address);
  return info;
}
// Room for two such subscribes, one of them at one address.
ShardConfig little_room() {
  const std::size_t one = subscribe_to(kTopics, 20).size() + kTopics * 100;
  ShardConfig config;
  config.waiting_bytes = {2 * one, one, one};
  return config;
}

TEST(WaitingRoom, ASubscribeOverTheShareOfItsSessionItsAddressOrAllIsClosedAndTheOthersGoOn) {
  Answering plant(little_room());
  Client one(plant, at(1));
  Client same_address(plant, at(1));
  Client two(plant, at(2));
  Client three(plant, at(3));
  const std::string text = subscribe_to(kTopics, 20);
  one.say(text);
  same_address.say(text);
  EXPECT_EQ(same_address.socket.close_code, 1013);
  EXPECT_EQ(same_address.socket.close_reason, kNoRoomForCommands);
  two.say(text);
  three.say(text);
  EXPECT_EQ(three.socket.close_code, 1013);
  for (std::size_t i = 0; i < plant.access.questions.size(); ++i)
    plant.answer(allow(plant.access.questions[i]));
  EXPECT_EQ(one.session->subscription_count(), 100U);
  EXPECT_EQ(two.session->subscription_count(), 100U);
  three.leave();
  Client again(plant, at(3));
  again.say(text);
  EXPECT_EQ(again.socket.close_code, 0) << "what was decided gave its room back";
  again.say(text);
  EXPECT_EQ(again.socket.close_code, 1013) << "the commands of one session share one share";
  again.leave();
  Client last(plant);
  last.say(text);
  EXPECT_EQ(last.socket.close_code, 0) << "what a session held that is gone is free, too";
}

TEST(WaitingRoom, APayloadThatWaitsCountsUntilItIsPublished) {
  Answering plant(little_room());
  plant.access.publish = true;
  Client client(plant);
  client.say(publish_of(8'000));
  plant.answer(allow(plant.last()));
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(client.socket.close_code, 0);
    client.say(publish_of(8'000));
  }
  EXPECT_EQ(client.socket.close_code, 1013);
}

TEST(WaitingRoom, NamesToResumeCountToo) {
  Answering plant(little_room());
  Client client(plant);
  const auto resume = [](int names) {
    std::string text = R"({"type":"subscribe","topics":["guarded.>"],"epoch":"e1","since":{"guarded.x":1)";
    for (int i = 0; i < names; ++i) text += ",\"guarded." + std::to_string(i) + "\":1";
    return text + "}}";
  };
  client.say(resume(100));
  EXPECT_EQ(client.socket.close_code, 0);
  client.say(resume(500));
  EXPECT_EQ(client.socket.close_code, 1013);
}

TEST(WaitingRoom, TheLargestCommandFitsIntoIt) {
  Answering plant;
  Client client(plant);
  const std::string text = subscribe_to(static_cast<int>(kTopicsPerCommandMax), 199);
  ASSERT_LT(text.size(), kMessageBytesMax);
  client.say(text);
  plant.run();
  EXPECT_EQ(client.socket.close_code, 0);
  EXPECT_EQ(plant.asked(), kSessionQuestionsMax);
}

}  // namespace
}  // namespace tickwire
