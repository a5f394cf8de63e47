#include "bridge/local_session.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <thread>

#include "bridge/bridge.h"
#include "fakes/fake_clock.h"

namespace tickwire {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;

// A JSON object of about `bytes`.
std::string padded(std::size_t bytes, int number) {
  return json{{"n", number}, {"pad", std::string(bytes, 'x')}}.dump();
}

struct LocalSessionTest : testing::Test {
  LocalSessionTest() {
    bridge.set_answer_route([this](std::uint32_t, AccessAnswer answer) { shard.answer(std::move(answer)); });
  }
  ~LocalSessionTest() override { shard.stop(); }

  // Lets the loop do all there is to do.
  void run() {
    for (int turn = 0; turn < 20; ++turn) {
      shard.run();
      clock.advance_ms(25);
    }
  }
  std::vector<json> read_all(LocalClient& client) {
    std::vector<json> messages;
    for (std::string text; client->read(text, milliseconds(0)) == LocalRead::kText;) {
      messages.push_back(json::parse(text));
    }
    return messages;
  }
  void subscribe(LocalClient& client, const std::string& topic) {
    ASSERT_TRUE(client->send(R"({"type":"subscribe","id":1,"topics":[")" + topic + R"("]})"));
    run();
  }

  FakeClock clock;
  Hub hub{clock, {}};
  Bridge bridge{hub, hub, {PublishPolicy::kNone}};
  Shard shard{hub, clock, bridge, ShardConfig{}, [] {}};
};

TEST_F(LocalSessionTest, EndsWithTheShardWhateverWasStillOnItsWay) {
  LocalClient drained(shard);
  run();
  LocalClient just_opened(shard);
  shard.drain(0);
  shard.stop();
  LocalClient too_late(shard);
  for (LocalClient* client : {&drained, &just_opened, &too_late}) {
    read_all(*client);
    std::string text;
    EXPECT_EQ((*client)->read(text, milliseconds(0)), LocalRead::kClosed);
    EXPECT_NE((*client)->close_reason(), "");
    EXPECT_EQ((*client)->send("{}").error().code, ErrorCode::kDraining);
  }
}

TEST_F(LocalSessionTest, SpeaksTheProtocol) {
  ASSERT_TRUE(hub.publish("ticker.A", R"({"last":"0.10"})"));
  LocalClient client(shard);
  subscribe(client, "ticker.A");
  ASSERT_TRUE(hub.publish("ticker.A", R"({"bid":1.00})"));
  run();
  const std::vector<json> messages = read_all(client);
  ASSERT_EQ(messages.size(), 4U);
  EXPECT_EQ(messages[0]["type"], "welcome");
  EXPECT_EQ(messages[1]["type"], "ack");
  EXPECT_EQ(messages[2]["type"], "snapshot");
  EXPECT_EQ(messages[3]["data"].dump(), R"({"bid":1.0})");
}

TEST_F(LocalSessionTest, IsAllowedWhatAnAuthorizerGuards) {
  ASSERT_TRUE(bridge.add_authorizer(">", Action::kSubscribe));
  LocalClient client(shard);
  subscribe(client, "premium.A");
  EXPECT_FALSE(read_all(client).at(1)["results"][0].contains("error"));
}

TEST_F(LocalSessionTest, TakesFramesOfEverySize) {
  LocalClient client(shard);
  subscribe(client, "ticker.A");
  read_all(client);
  for (const std::size_t bytes : {1U, 200U, 70'000U}) {
    ASSERT_TRUE(hub.publish("ticker.A", padded(bytes, 1)));
    run();
    const std::vector<json> messages = read_all(client);
    ASSERT_EQ(messages.size(), 1U);
    EXPECT_EQ(messages[0]["data"]["pad"].get<std::string>().size(), bytes);
  }
}

TEST_F(LocalSessionTest, AFullQueueBlocksAndTheReaderCatchesUpWithTheImage) {
  constexpr int kUpdates = 60;
  constexpr std::size_t kBytes = 65'536;
  LocalClient client(shard);
  subscribe(client, "ticker.A");
  for (int number = 1; number <= kUpdates; ++number) {
    ASSERT_TRUE(hub.publish("ticker.A", padded(kBytes, number)));
    run();
  }
  std::vector<json> messages = read_all(client);
  EXPECT_LE(messages.size() * kBytes, kLocalQueueBytesMax + 4 * kBytes) << "the queue is bounded";
  EXPECT_LT(messages.back()["data"]["n"], kUpdates);
  run();
  messages = read_all(client);
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0]["type"], "snapshot");
  EXPECT_EQ(messages[0]["seq"], kUpdates);
  EXPECT_EQ(messages[0]["data"]["n"], kUpdates);
}

TEST_F(LocalSessionTest, EndsItsSessionWhenItsOwnerLetsGo) {
  {
    const LocalClient client(shard);
    run();
    EXPECT_EQ(shard.stats().sessions, 1U);
  }
  ASSERT_TRUE(hub.publish("ticker.A", "{}"));
  run();
  EXPECT_EQ(shard.stats().sessions, 0U);
}

TEST_F(LocalSessionTest, IsReadToTheEndAfterItWasClosed) {
  LocalClient client(shard);
  run();
  client->close();
  run();
  std::string text;
  EXPECT_EQ(client->read(text, milliseconds(0)), LocalRead::kText);
  EXPECT_EQ(client->read(text, milliseconds(0)), LocalRead::kClosed);
  EXPECT_EQ(client->close_reason(), "closed by its owner");
  EXPECT_EQ(client->send("{}").error().code, ErrorCode::kDraining);
}

TEST_F(LocalSessionTest, IsToldOfADrainAndClosed) {
  LocalClient client(shard);
  run();
  shard.drain(0);
  run();
  EXPECT_EQ(read_all(client).back()["type"], "drain");
  std::string text;
  EXPECT_EQ(client->read(text, milliseconds(0)), LocalRead::kClosed);
  EXPECT_TRUE(client->close_reason().starts_with("4001")) << client->close_reason();
  EXPECT_EQ(shard.stats().sessions, 0U);
}

TEST_F(LocalSessionTest, TakesCommandsUpToItsLimitAndNotOneMore) {
  LocalClient client(shard);
  for (std::size_t sent = 0; sent < kLocalSendsMax; ++sent) {
    EXPECT_TRUE(client->send(R"({"type":"ping"})"));
  }
  EXPECT_EQ(client->send(R"({"type":"ping"})").error().code, ErrorCode::kTooMany);
  run();
  EXPECT_EQ(read_all(client).size(), 1 + kLocalSendsMax);
  EXPECT_TRUE(client->send(R"({"type":"ping"})"));
}

TEST_F(LocalSessionTest, IsReadableExactlyWhileSomethingCanBeRead) {
  const auto is_readable = [](int fd) {
    pollfd wanted{fd, POLLIN, 0};
    return ::poll(&wanted, 1, 0) == 1;
  };
  LocalClient client(shard);
  run();
  const int fd = client->notify_fd().value();
  EXPECT_TRUE(is_readable(fd));
  read_all(client);
  EXPECT_FALSE(is_readable(fd));
  client->close();
  run();
  EXPECT_TRUE(is_readable(fd)) << "a close is news, too";
}

TEST_F(LocalSessionTest, AReaderInAnotherThreadSeesEverySeqOrAJump) {
  constexpr std::uint64_t kUpdates = 20'000;
  LocalClient client(shard);
  std::atomic<bool> done = false;
  std::thread loop([&] {
    while (!done) shard.run();
  });
  std::thread publisher([&] {
    for (std::uint64_t n = 1; n <= kUpdates; ++n) ASSERT_TRUE(hub.publish("ticker.A", padded(200, 1)));
  });
  ASSERT_TRUE(client->send(R"({"type":"subscribe","id":1,"topics":["ticker.A"]})"));
  std::uint64_t seq = 0;
  for (std::string text; seq < kUpdates;) {
    ASSERT_EQ(client->read(text, milliseconds(20'000)), LocalRead::kText) << "silent after " << seq;
    const json message = json::parse(text);
    if (!message.contains("topic")) continue;
    const std::uint64_t next = message["seq"];
    ASSERT_TRUE(message["type"] == "snapshot" ? next >= seq : next == seq + 1) << text << " after " << seq;
    seq = next;
  }
  publisher.join();
  done = true;
  loop.join();
}

}  // namespace
}  // namespace tickwire
