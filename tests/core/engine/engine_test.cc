#include "engine/engine.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "bridge/local_session.h"
#include "engine/exit_codes.h"

namespace tickwire {
namespace {

using nlohmann::json;

class EngineTest : public ::testing::Test {
 protected:
  EngineTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "tickwire-engine-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  ~EngineTest() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] Config config() const {
    Config config;
    config.listen = "127.0.0.1:0";
    config.drain_s = 1;
    config.log_level = "off";
    return config;
  }
  [[nodiscard]] Config config_with_store() const {
    Config stored = config();
    stored.store_path = (folder_ / "ticks.db").string();
    return stored;
  }
  static std::unique_ptr<Engine> make(Config config) {
    auto engine = Engine::create(std::move(config));
    if (!engine) throw std::runtime_error(engine.error().message);
    return std::move(*engine);
  }

  std::filesystem::path folder_;
};

// The answer to a GET, or empty when nobody listens.
std::string http_get(const std::string& address, const std::string& path) {
  const auto listen = parse_listen(address);
  sockaddr_in peer{};
  peer.sin_family = AF_INET;
  peer.sin_port = htons(listen->port);
  ::inet_pton(AF_INET, listen->host.c_str(), &peer.sin_addr);
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  std::string answer;
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&peer), sizeof peer) == 0) {
    const std::string request = "GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    EXPECT_EQ(::send(fd, request.data(), request.size(), 0), static_cast<ssize_t>(request.size()));
    char buffer[4096];
    for (ssize_t size = 0; (size = ::recv(fd, buffer, sizeof buffer, 0)) > 0;) {
      answer.append(buffer, static_cast<std::size_t>(size));
    }
  }
  ::close(fd);
  return answer;
}

std::string read_message(LocalSession& session) {
  std::string text;
  return session.read(text, std::chrono::seconds(5)) == LocalRead::kText ? text : "";
}

TEST_F(EngineTest, ServesHealthOnTheRealPort) {
  const auto engine = make(config());
  ASSERT_TRUE(engine->start());
  ASSERT_NE(engine->address(), "127.0.0.1:0");
  ASSERT_TRUE(engine->hub().publish("ticker.BTC-USD", R"({"last":"1"})"));
  const std::string answer = http_get(engine->address(), "/health");
  ASSERT_TRUE(answer.starts_with("HTTP/1.1 200")) << answer;
  const json health = json::parse(answer.substr(answer.find("\r\n\r\n") + 4));
  EXPECT_EQ(health, json::parse(engine->health_json()));
  EXPECT_EQ(health, (json{{"status", "ok"},
                          {"epoch", engine->epoch()},
                          {"server", "tickwire/" TICKWIRE_VERSION},
                          {"topics", 1},
                          {"sessions", 0},
                          {"stale", 0},
                          {"overruns", 0},
                          {"store", "off"},
                          {"store_stats", {{"flushes", 0}, {"rows", 0}, {"failures", 0}}},
                          {"plugins", json::object()}}));
}

TEST_F(EngineTest, WithoutAStoreEachStartHasAnEpochOfItsOwn) {
  const auto one = make(config());
  const auto other = make(config());
  ASSERT_TRUE(one->start());
  ASSERT_TRUE(other->start());
  EXPECT_EQ(one->epoch().size(), 16U);
  EXPECT_NE(one->epoch(), other->epoch());
}

TEST_F(EngineTest, ARestartServesTheImageBeforeAnyoneCouldConnect) {
  std::string epoch;
  {
    const auto engine = make(config_with_store());
    ASSERT_TRUE(engine->start());
    ASSERT_TRUE(engine->hub().publish("ticker.BTC-USD", R"({"last":"0.10"})"));
    epoch = engine->epoch();
  }
  const auto engine = make(config_with_store());
  ASSERT_TRUE(engine->start());
  EXPECT_EQ(engine->epoch(), epoch);
  const std::string answer = http_get(engine->address(), "/v1/snapshot/ticker.BTC-USD");
  EXPECT_NE(answer.find(R"("seq":1)"), std::string::npos) << answer;
  EXPECT_NE(answer.find(R"("data":{"last":"0.10"})"), std::string::npos) << answer;
  EXPECT_EQ(json::parse(engine->health_json()).at("store"), "ok");
}

TEST_F(EngineTest, APortInUseIsSaidAndTheStoreIsFreeAgain) {
  const auto holder = make(config());
  ASSERT_TRUE(holder->start());
  std::string epoch;
  {
    const auto first = make(config_with_store());
    ASSERT_TRUE(first->start());
    epoch = first->epoch();
  }
  Config taken = config_with_store();
  taken.listen = holder->address();
  const auto engine = make(taken);
  const Status started = engine->start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ErrorCode::kListen);
  EXPECT_NE(started.error().message.find(holder->address()), std::string::npos) << started.error().message;
  const auto again = make(config_with_store());
  ASSERT_TRUE(again->start()) << "the failed start still holds the store";
  EXPECT_EQ(again->epoch(), epoch) << "a failed start is no crash";
}

TEST_F(EngineTest, AStoreThatCannotOpenIsSaidAndNothingListens) {
  Config missing = config();
  missing.store_path = (folder_ / "no" / "ticks.db").string();
  const auto engine = make(missing);
  const Status started = engine->start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ErrorCode::kStoreMissing);
  engine->stop();
}

TEST_F(EngineTest, SeveralShardsShareOnePort) {
  Config two = config();
  two.shards = 2;
  const auto engine = make(two);
  ASSERT_TRUE(engine->start());
  ASSERT_TRUE(engine->hub().publish("t.x", "{}"));
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(http_get(engine->address(), "/v1/snapshot/t.x").starts_with("HTTP/1.1 200"))
        << "connection " << i;
  }
}

TEST_F(EngineTest, AStopSaysDrainAndEndsEveryClientWithinTheDeadline) {
  const auto engine = make(config());
  ASSERT_TRUE(engine->start());
  const auto session = LocalSession::open(engine->shard());
  ASSERT_EQ(json::parse(read_message(*session)).at("type"), "welcome");
  engine->stop();  // one without an end runs into the time limit of every test
  const json drain = json::parse(read_message(*session));
  EXPECT_EQ(drain.at("type"), "drain");
  EXPECT_GE(drain.at("reconnect_after_ms"), 0);
  std::string text;
  EXPECT_EQ(session->read(text, std::chrono::seconds(5)), LocalRead::kClosed);
  EXPECT_EQ(http_get(engine->address(), "/health"), "") << "still accepts";
  EXPECT_EQ(json::parse(engine->health_json()).at("status"), "draining");
}

TEST_F(EngineTest, StopsTwiceAndWithoutAStart) {
  make(config())->stop();
  const auto engine = make(config());
  ASSERT_TRUE(engine->start());
  engine->stop();
  engine->stop();
}

TEST_F(EngineTest, TopicsGoStaleByAgeAsTheConfigurationSays) {
  Config aging = config();
  aging.topics["ticker.>"].stale_after_s = 0.2;
  aging.sources["topics.\"ticker.>\".stale_after_s"] = "this test";
  const auto engine = make(aging);
  ASSERT_TRUE(engine->start());
  ASSERT_TRUE(engine->hub().publish("ticker.BTC-USD", "{}"));
  ASSERT_TRUE(engine->hub().publish("other.BTC-USD", "{}"));
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (engine->hub().stale_count() == 0 && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_EQ(engine->hub().find("ticker.BTC-USD")->status(), TopicStatus::kStale);
  EXPECT_EQ(engine->hub().find("other.BTC-USD")->status(), TopicStatus::kLive);
}

TEST_F(EngineTest, AWrongListenAddressIsAConfigurationError) {
  Config wrong = config();
  wrong.listen = "8080";
  const auto engine = Engine::create(wrong);
  ASSERT_FALSE(engine);
  EXPECT_EQ(engine.error().code, ErrorCode::kBadConfig);
}

TEST(ExitCodes, TellApartWhyAServerCouldNotStart) {
  EXPECT_EQ(exit_code(ErrorCode::kBadConfig), 2);
  EXPECT_EQ(exit_code(ErrorCode::kInternal), 5);
  EXPECT_EQ(exit_code(ErrorCode::kStoreMissing), 10);
  EXPECT_EQ(exit_code(ErrorCode::kStoreLocked), 11);
  EXPECT_EQ(exit_code(ErrorCode::kStoreForeign), 12);
  EXPECT_EQ(exit_code(ErrorCode::kStoreDamaged), 13);
  EXPECT_EQ(exit_code(ErrorCode::kStoreNewer), 14);
  EXPECT_EQ(exit_code(ErrorCode::kStoreIo), 15);
  EXPECT_EQ(exit_code(ErrorCode::kListen), 16);
}

}  // namespace
}  // namespace tickwire
