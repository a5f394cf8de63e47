#include "engine/engine.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>

#include "bridge/local_session.h"
#include "engine/admin_door.h"
#include "engine/exit_codes.h"
#include "fakes/temporary_folder.h"

namespace tickwire {
namespace {

using nlohmann::json;

class EngineTest : public ::testing::Test {
 protected:
  [[nodiscard]] Config config() const {
    Config config;
    config.listen.texts = {"127.0.0.1:0"};
    config.drain = std::chrono::seconds(1);
    config.log_level = LogLevel::kOff;
    config.admin_listen = "off";
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

  const TemporaryFolder own_;
  const std::filesystem::path& folder_ = own_.path();
};

// The answer to a GET, or empty when nobody listens.
std::string http_get(const std::string& address, const std::string& path,
                     const std::string& headers = "Host: localhost\r\n") {
  const auto listen = parse_listen(address);
  sockaddr_in peer{};
  peer.sin_family = AF_INET;
  peer.sin_port = htons(listen->port);
  ::inet_pton(AF_INET, listen->host.c_str(), &peer.sin_addr);
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  std::string answer;
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&peer), sizeof peer) == 0) {
    const std::string request = "GET " + path + " HTTP/1.1\r\n" + headers + "Connection: close\r\n\r\n";
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
  return session.read(text, std::chrono::seconds(30)) == LocalRead::kText ? text : "";
}

TEST_F(EngineTest, ServesHealthOnTheRealPort) {
  const auto engine = make(config());
  ASSERT_TRUE(engine->start());
  ASSERT_NE(engine->address(), "127.0.0.1:0");
  ASSERT_TRUE(engine->hub().publish("ticker.BTC-USD", R"({"last":"1"})"));
  const std::string answer = http_get(engine->address(), "/health");
  ASSERT_TRUE(answer.starts_with("HTTP/1.1 200")) << answer;
  const json health = json::parse(answer.substr(answer.find("\r\n\r\n") + 4));
  EXPECT_EQ(health, (json{{"status", "ok"},
                          {"epoch", engine->epoch()},
                          {"server", "tickwire/" TICKWIRE_VERSION},
                          {"ts", health.value("ts", std::int64_t{0})},
                          {"topics", 1},
                          {"sessions", 0},
                          {"stale", 0},
                          {"overruns", 0},
                          {"store", "off"}}));
  EXPECT_TRUE(http_get(engine->address(), "/ready").starts_with("HTTP/1.1 200"));
}

TEST_F(EngineTest, TheAdminIsToldMore) {
  Config one = config();
  one.shards = 1;
  const auto engine = make(one);
  ASSERT_TRUE(engine->start());
  engine->bridge().plugins().set("coinbase", {"running", 0, 0});
  json everybodys = json::parse(engine->health(HealthDetail::kPublic).json);
  EXPECT_EQ(everybodys.dump().find("coinbase"), std::string::npos);
  const json admins = json::parse(engine->health_json());
  EXPECT_EQ(admins.at("address"), engine->address());
  EXPECT_EQ(admins.at("store_stats"), (json{{"flushes", 0}, {"rows", 0}, {"failures", 0}}));
  EXPECT_EQ(admins.at("loops").size(), 1U);
  EXPECT_EQ(admins.at("loops").at(0).at("turning"), true);
  EXPECT_EQ(admins.at("plugins").at("coinbase").at("state"), "running");
  everybodys.merge_patch(admins);
  EXPECT_EQ(everybodys, admins) << "whatever everybody is told stands there, too";
}

// --- a loop that stands still ---------------------------------------------------------------------------

// Keeps an engine's first loop where it is until release().
class HeldLoop {
 public:
  explicit HeldLoop(Engine& engine) {
    engine.shard().post([held = held_, released = released_] {
      held->set_value();
      released->get_future().wait();
    });
    held_->get_future().wait();
  }
  ~HeldLoop() { release(); }
  HeldLoop(const HeldLoop&) = delete;
  HeldLoop& operator=(const HeldLoop&) = delete;
  void release() {
    if (!std::exchange(done_, true)) released_->set_value();
  }

 private:
  std::shared_ptr<std::promise<void>> held_ = std::make_shared<std::promise<void>>();
  std::shared_ptr<std::promise<void>> released_ = std::make_shared<std::promise<void>>();
  bool done_ = false;
};

bool eventually(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!condition() && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return condition();
}

TEST_F(EngineTest, ALoopThatStandsStillIsToldByTheOtherAndInWhat) {
  Config two = config();
  two.shards = 2;
  const auto engine = make(two);
  ASSERT_TRUE(engine->start());
  HeldLoop held(*engine);
  ASSERT_TRUE(eventually([&] { return !engine->health(HealthDetail::kPublic).well; }));
  const json health = json::parse(engine->health_json());
  EXPECT_EQ(health.at("status"), "stalled");
  EXPECT_EQ(health.at("loops").at(0).at("turning"), false);
  EXPECT_EQ(health.at("loops").at(0).at("at"), "a posted call");
  EXPECT_GE(health.at("loops").at(0).at("stood_ms"), 1000);
  EXPECT_EQ(health.at("loops").at(1).at("turning"), true);
  held.release();
  EXPECT_TRUE(eventually([&] { return engine->health(HealthDetail::kPublic).well; }));
  EXPECT_EQ(json::parse(engine->health_json()).at("status"), "ok");
}

// --- the admin listener ---------------------------------------------------------------------------------

TEST_F(EngineTest, TheAdminSocketOfAPlantLiesInAFolderOfItsUserAndGoesWithIt) {
  ::setenv("XDG_RUNTIME_DIR", folder_.c_str(), 1);
  Config found = config();
  found.admin_listen = "auto";
  const auto one = make(found);
  const auto other = make(found);
  ASSERT_TRUE(one->start());
  ASSERT_TRUE(other->start());
  const std::string path = (folder_ / "tickwire" / (one->address() + ".sock")).string();
  EXPECT_EQ(one->admin_address(), path);
  EXPECT_NE(other->admin_address(), path);
  EXPECT_EQ(std::filesystem::status(folder_ / "tickwire").permissions(), std::filesystem::perms::owner_all);
  one->stop();
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_TRUE(std::filesystem::exists(other->admin_address()));
  ::unsetenv("XDG_RUNTIME_DIR");
}

TEST_F(EngineTest, AFolderThatCannotBeUsedIsPassedOver) {
  ::setenv("XDG_RUNTIME_DIR", "/proc", 1);
  ::setenv("TMPDIR", folder_.c_str(), 1);
  Config found = config();
  found.admin_listen = "auto";
  const auto engine = make(found);
  ASSERT_TRUE(engine->start());
  EXPECT_FALSE(engine->admin_address().starts_with("/proc"));
  EXPECT_NE(engine->admin_address(), "");
  ::unsetenv("XDG_RUNTIME_DIR");
  ::unsetenv("TMPDIR");
}

TEST_F(EngineTest, AnAdminSocketThatIsNamedAndCannotBeIsAnErrorAndTheStoreIsFreeAgain) {
  Config wrong = config_with_store();
  wrong.admin_listen = (folder_ / "no" / "admin.sock").string();
  const auto engine = make(wrong);
  const Status started = engine->start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ErrorCode::kListen);
  EXPECT_NE(started.error().message.find("admin.listen"), std::string::npos);
  EXPECT_TRUE(make(config_with_store())->start());
}

TEST_F(EngineTest, OverTcpTheAdminListenerTakesTheToken) {
  Config tcp = config();
  tcp.admin_listen = "127.0.0.1:0";
  tcp.auth_admin_token = Secret("s3cret");
  const auto engine = make(tcp);
  ASSERT_TRUE(engine->start());
  ASSERT_NE(engine->admin_address(), "127.0.0.1:0");
  EXPECT_TRUE(http_get(engine->admin_address(), "/health").starts_with("HTTP/1.1 403"));
  const std::string told =
      http_get(engine->admin_address(), "/health", "Host: 127.0.0.1\r\nAuthorization: Bearer s3cret\r\n");
  EXPECT_TRUE(told.starts_with("HTTP/1.1 200")) << told;
  EXPECT_NE(told.find("\"loops\":"), std::string::npos) << told;
}

std::string refused_admin(const std::string& listen, const std::string& token = "") {
  Config config;
  config.admin_listen = listen;
  config.auth_admin_token = Secret(token);
  const auto address = parse_admin_listen(config);
  if (address) return "";
  EXPECT_EQ(address.error().code, ErrorCode::kBadConfig);
  EXPECT_EQ(address.error().field, "admin.listen");
  return address.error().message;
}

TEST(AdminListen, IsAutoOffAPathOrAnAddressWithAToken) {
  for (const char* listen : {"auto", "off", "", "/run/tickwire/admin.sock", "./admin.sock"}) {
    EXPECT_EQ(refused_admin(listen), "") << listen;
  }
  EXPECT_EQ(refused_admin("127.0.0.1:9180", "s3cret"), "");
  EXPECT_NE(refused_admin("127.0.0.1:9180").find("needs auth.admin_token"), std::string::npos);
  for (const char* listen : {"on", "9180", "admin.sock", "127.0.0.1:x"}) {
    EXPECT_NE(refused_admin(listen, "s3cret").find("must be auto, off, the path of a socket"),
              std::string::npos)
        << listen;
  }
  EXPECT_EQ(refused_admin("/" + std::string(kSocketPathBytesMax - 1, 'x')), "");
  EXPECT_NE(refused_admin("/" + std::string(kSocketPathBytesMax, 'x')).find("107 at most"),
            std::string::npos);
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
  taken.listen.texts = {holder->address()};
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
  EXPECT_EQ(session->read(text, std::chrono::seconds(30)), LocalRead::kClosed);
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
  aging.topics["ticker.>"].stale_after = ExactSeconds(0.2);
  aging.sources["topics.\"ticker.>\".stale_after_s"] = "this test";
  const auto engine = make(aging);
  ASSERT_TRUE(engine->start());
  ASSERT_TRUE(engine->hub().publish("ticker.BTC-USD", "{}"));
  ASSERT_TRUE(engine->hub().publish("other.BTC-USD", "{}"));
  EXPECT_TRUE(eventually([&] { return engine->hub().stale_count() > 0; }));
  EXPECT_EQ(engine->hub().find("ticker.BTC-USD")->status(), TopicStatus::kStale);
  EXPECT_EQ(engine->hub().find("other.BTC-USD")->status(), TopicStatus::kLive);
}

TEST_F(EngineTest, AWrongListenAddressIsAConfigurationError) {
  Config wrong = config();
  wrong.listen.texts = {"8080"};
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
