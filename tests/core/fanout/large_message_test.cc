// A message or payload that would hold the loop up is read and merged by a worker, while the commands of its
// session wait for it, in order, and everybody else goes on.
#include <algorithm>

#include "answering.h"
#include "base/work.h"
#include "fakes/fake_offload.h"
#include "plant.h"

namespace tickwire {
namespace {

std::string padded(const std::string& text, std::size_t bytes) {
  return text + std::string(bytes - text.size(), ' ');
}

std::string ping(int id) {
  return R"({"type":"ping","id":)" + std::to_string(id) + "}";
}

struct LargeMessage : testing::Test {
  explicit LargeMessage(ShardConfig config = {}) : plant(with(std::move(config))) {
    plant.access.publish = true;
  }
  ~LargeMessage() override { offload.end(); }
  ShardConfig with(ShardConfig config) {
    config.offload = &offload;
    return config;
  }
  static std::string large(const std::string& text) { return padded(text, kOnLoopBytesMax + 1); }
  static std::string publish_of(std::size_t bytes) {
    return R"({"type":"publish","id":1,"topic":"a.b","data":{"x":")" + std::string(bytes, 'x') + "\"}}";
  }
  // Runs until neither the workers nor the shard have anything to do.
  void settle() {
    do {
      offload.run_all();
      plant.run();
    } while (offload.waiting() > 0);
  }
  static std::vector<int> ids(Client& client) {
    std::vector<int> out;
    for (const auto& message : client.socket.take()) {
      if (message.contains("id")) out.push_back(message["id"]);
    }
    return out;
  }

  FakeOffload offload;
  Plant plant;
};

TEST_F(LargeMessage, AtTheLimitIsReadAtOnceAndOnePastItByAWorker) {
  Client client(plant);
  client.heard();
  client.say(padded(ping(1), kOnLoopBytesMax));
  EXPECT_EQ(client.heard(), Lines{"pong"});
  plant.run();
  client.say(padded(ping(2), kOnLoopBytesMax + 1));
  EXPECT_EQ(client.heard(), Lines{});
  EXPECT_FALSE(client.socket.reading);
  EXPECT_EQ(offload.waiting(), 1U);
  settle();
  EXPECT_EQ(client.heard(), Lines{"pong"});
  EXPECT_TRUE(client.socket.reading);
}

TEST_F(LargeMessage, CostsTheLoopOnlyItsCopy) {
  Client client(plant);
  const std::uint64_t before = Work::done();
  client.say(padded(ping(1), kMessageBytesMax));
  EXPECT_LT(Work::done() - before, 50U);
}

TEST_F(LargeMessage, LaterCommandsOfItsSessionWaitInOrderAndNobodyElse) {
  Client client(plant);
  Client other(plant);
  client.say(large(ping(1)));
  client.say(ping(2));
  client.say(large(ping(3)));
  client.say(ping(4));
  other.say(ping(9));
  plant.run();
  EXPECT_EQ(ids(client), std::vector<int>{});
  EXPECT_EQ(ids(other), std::vector<int>{9});
  settle();
  EXPECT_EQ(ids(client), (std::vector<int>{1, 2, 3, 4}));
  EXPECT_TRUE(client.socket.reading);
}

TEST_F(LargeMessage, AWorkerMayBeDoneBeforeTheLoopHasReturned) {
  offload.at_once = true;
  Client client(plant);
  client.say(large(ping(1)));
  client.say(ping(2));
  plant.run();
  EXPECT_EQ(ids(client), (std::vector<int>{1, 2}));
}

TEST_F(LargeMessage, ItsRefusalCarriesItsId) {
  Client client(plant);
  client.socket.take();
  client.say(large(R"({"type":"dance","id":5})"));
  client.say(large(R"({"id":6,"type":"publish","topic":"a.b","data":{"x":1e999}})"));
  settle();
  const auto answers = client.socket.take();
  ASSERT_EQ(answers.size(), 2U);
  EXPECT_EQ(answers[0]["code"], "unknown_command");
  EXPECT_EQ(answers[0]["id"], 5);
  EXPECT_EQ(answers[1]["code"], "bad_data");
  EXPECT_EQ(answers[1]["id"], 6);
}

TEST_F(LargeMessage, ItsSessionMayEndOrDrainWhileItIsRead) {
  Client drained(plant);
  drained.say(large(R"({"type":"subscribe","topics":["a.b"]})"));
  {
    Client client(plant);
    client.say(large(R"({"type":"subscribe","topics":["a.b"]})"));
    client.say(ping(2));
  }
  Client next(plant);  // in the slot of the one that has gone
  next.socket.take();
  plant.shard.drain(0);
  settle();
  EXPECT_EQ(plant.hub.topic_count(), 0U);
  EXPECT_EQ(drained.socket.close_code, 4001);
  EXPECT_EQ(next.heard(), Lines{"drain"});
}

TEST_F(LargeMessage, APayloadIsMergedByAWorkerBeforeTheNextCommand) {
  Client client(plant);
  client.heard();
  client.say(publish_of(kOnLoopBytesMax + 1));
  client.say(R"({"type":"publish","id":2,"topic":"a.b","data":{"y":2}})");
  offload.run_one();  // reads it
  plant.shard.run();
  EXPECT_EQ(plant.hub.topic_count(), 0U);
  EXPECT_EQ(ids(client), std::vector<int>{}) << "nobody has merged it yet";
  settle();
  EXPECT_EQ(ids(client), (std::vector<int>{1, 2}));
  EXPECT_EQ(plant.hub.find("a.b")->seq(), 2U);
  EXPECT_TRUE(plant.hub.find("a.b")->image().ends_with(R"(x","y":2})"));
}

TEST_F(LargeMessage, ATokenThatIsJudgedAgainKeepsTheOrder) {
  plant.access.authenticator = true;
  ClientInfo info;
  info.token = "t";
  Client client(plant, info);
  const auto answer = [&](Ruling ruling) {
    plant.shard.answer({.id = plant.access.questions.back().id, .ruling = ruling, .text = "{}"});
    plant.run();
  };
  answer(Ruling::kUnavailable);
  plant.clock.advance_ms(2'000);
  client.socket.take();
  client.say(large(R"({"type":"subscribe","id":1,"topics":["a.b"]})"));
  client.say(ping(2));
  offload.run_all();
  plant.shard.run();
  EXPECT_EQ(ids(client), std::vector<int>{}) << "the token is asked about first";
  answer(Ruling::kAllow);
  settle();
  EXPECT_EQ(ids(client), (std::vector<int>{1, 2}));
}

struct LittleRoom : LargeMessage {
  static constexpr std::size_t kOne = kOnLoopBytesMax + 1;
  static ShardConfig config() {
    ShardConfig config;
    config.waiting_bytes = {2 * kOne, kOne, kOne};
    return config;
  }
  LittleRoom() : LargeMessage(config()) {}
  static ClientInfo at(std::uint32_t address) {
    ClientInfo info;
    info.address = PeerAddress::of_ipv4(address);
    return info;
  }
};

TEST_F(LittleRoom, OneOverTheShareOfAnAddressOrOfAllIsClosedAndTheOthersGoOn) {
  Client one(plant, at(1));
  Client same_address(plant, at(1));
  Client two(plant, at(2));
  Client three(plant, at(3));
  one.say(padded(ping(1), kOne));
  same_address.say(padded(ping(1), kOne));
  EXPECT_EQ(same_address.socket.close_code, 1013);
  EXPECT_EQ(same_address.socket.close_reason, kNoRoomForCommands);
  EXPECT_EQ(plant.limited(Limit::kWaitingPerAddress), 1U);
  two.say(padded(ping(1), kOne));
  three.say(padded(ping(1), kOne));
  EXPECT_EQ(three.socket.close_code, 1013);
  EXPECT_EQ(plant.limited(Limit::kWaiting), 1U);
  settle();
  EXPECT_EQ(ids(one), std::vector<int>{1});
  EXPECT_EQ(ids(two), std::vector<int>{1});
  three.leave();
  Client again(plant, at(3));
  again.say(padded(ping(1), kOne));
  settle();
  EXPECT_EQ(ids(again), std::vector<int>{1}) << "what was read gave its room back";
}

TEST_F(LittleRoom, AMessageOverTheShareOfOneIsRefused) {
  Client client(plant);
  client.say(padded(ping(1), kOne));
  settle();
  EXPECT_EQ(client.socket.close_code, 0);
  EXPECT_EQ(plant.limited(Limit::kWaitingPerSession), 0U);
  client.say(padded(ping(1), kOne + 1));
  EXPECT_EQ(client.socket.close_code, 1013);
  EXPECT_EQ(plant.limited(Limit::kWaitingPerSession), 1U);
}

TEST_F(LittleRoom, CommandsThatWaitCountUntilTheyRun) {
  Client client(plant);
  client.say(padded(ping(1), kOne));
  const std::string last = padded(ping(2), kOne - sizeof(std::string) - 1);
  client.say(last);
  EXPECT_EQ(client.socket.close_code, 0);
  client.say(ping(3));
  EXPECT_EQ(client.socket.close_code, 1013);
  client.leave();
  Client next(plant);
  next.say(padded(ping(1), kOne));
  settle();
  EXPECT_EQ(ids(next), std::vector<int>{1});
}

// Each order in which the answers may come.
TEST(Publishing, UpdatesOfATopicStayInOrderHoweverLargeAndWheneverTheyAreAllowed) {
  const std::vector<int> sent{1, 2, 3, 4};
  std::vector<int> answered = sent;
  do {
    FakeOffload offload;
    ShardConfig config;
    config.offload = &offload;
    Answering plant(config);
    plant.access.publish = true;
    Client client(plant);
    for (const int id : sent) {
      const std::string number = std::to_string(id);
      const std::size_t bytes = id % 2 == 0 ? 10 : kOnLoopBytesMax + 1;
      client.say(R"({"type":"publish","id":)" + number + R"(,"topic":"guarded.a","data":{"v":)" + number +
                 R"(,"pad":")" + std::string(bytes, 'x') + "\"}}");
      while (offload.waiting() > 0) {
        offload.run_one();
        plant.run();
      }
    }
    ASSERT_EQ(plant.asked(), sent.size());
    for (const int id : answered)
      plant.answer(allow(plant.access.questions[static_cast<std::size_t>(id - 1)]));
    while (offload.waiting() > 0) {
      offload.run_one();
      plant.run();
    }
    std::vector<int> acked;
    for (const auto& message : client.socket.take()) {
      if (message.contains("id")) acked.push_back(message["id"]);
    }
    EXPECT_EQ(acked, sent) << testing::PrintToString(answered);
    EXPECT_NE(plant.hub.find("guarded.a")->image().find(R"("v":4)"), std::string::npos);
    offload.end();
  } while (std::ranges::next_permutation(answered).found);
}

}  // namespace
}  // namespace tickwire
