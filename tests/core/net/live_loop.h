// A real Loop on a free port, with a hub to publish to.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "fakes/fake_access.h"
#include "fakes/temporary_folder.h"
#include "hub/hub.h"
#include "net/admin_socket.h"
#include "net/loop.h"
#include "raw_client.h"

namespace tickwire {

class RealClock final : public Clock {
 public:
  [[nodiscard]] std::int64_t wall_ms() const override {
    return since_epoch<std::chrono::system_clock>() / 1000;
  }
  [[nodiscard]] std::int64_t steady_us() const override { return since_epoch<std::chrono::steady_clock>(); }

 private:
  template <typename Source>
  static std::int64_t since_epoch() {
    return std::chrono::duration_cast<std::chrono::microseconds>(Source::now().time_since_epoch()).count();
  }
};

// Its health is good; it tells of sessions when a test says so.
class FixedSource final : public HttpSource {
 public:
  [[nodiscard]] HealthAnswer health(HealthDetail detail) const override {
    return {true, detail == HealthDetail::kAll ? R"({"status":"ok","plugins":{}})" : R"({"status":"ok"})"};
  }
  [[nodiscard]] TextInPieces metrics() const override {
    return [](const Budget&) { return std::optional<std::string>("tickwire_sessions 1\n"); };
  }
  [[nodiscard]] bool serves() const override { return true; }
  [[nodiscard]] std::string halts() const override { return "{}"; }
  void list_sessions(const SessionsQuery& query, std::function<void(std::string)> done) override {
    const std::lock_guard lock(mutex_);
    asked_.emplace_back(query, std::move(done));
  }
  void act(const AdminAction& /*action*/, const AdminActor& /*by*/, AdminDone /*done*/) override {}

  [[nodiscard]] std::size_t asked() const {
    const std::lock_guard lock(mutex_);
    return asked_.size();
  }
  // Answers the first request that waits, from a thread that is not the loop's. Returns the limit it asked
  // for.
  std::size_t tell(const std::string& json) {
    std::pair<SessionsQuery, std::function<void(std::string)>> first;
    {
      const std::lock_guard lock(mutex_);
      first = std::move(asked_.front());
      asked_.pop_front();
    }
    first.second(json);
    return first.first.limit;
  }

 private:
  mutable std::mutex mutex_;
  std::deque<std::pair<SessionsQuery, std::function<void(std::string)>>> asked_;
};

class LiveLoop {
 public:
  explicit LiveLoop(NetConfig net = {})
      : hub(clock, {}), loop(hub, clock, access, ShardConfig{}, free_port(net), source) {
    hub.set_epoch("e1");
    const Status opened = loop.open();
    EXPECT_TRUE(opened.ok()) << opened.error().message;
    const auto listening = admin_file.listen((folder.path() / "admin.sock").string(), 64);
    EXPECT_TRUE(listening.ok()) << listening.error().message;
    EXPECT_TRUE(loop.serve_admin(*listening, Door::kAdminSocket));
    loop.start();
  }

  RawClient connect(const char* from = nullptr) { return RawClient(loop.port(), 0, from); }
  // One request on a connection of its own.
  HttpReply get(const std::string& path, const std::string& method = "GET") {
    return connect().get(path, method);
  }
  RawClient connect_admin() { return RawClient(admin_file.path()); }
  // A client that has done the handshake and read its welcome.
  RawClient connect_ws(int receive_buffer = 0, const char* from = nullptr) {
    RawClient client(loop.port(), receive_buffer, from);
    EXPECT_EQ(client.upgrade(), 101);
    EXPECT_NE(client.read_text().find("welcome"), std::string::npos);
    return client;
  }
  void publish(const std::string& topic, const std::string& data) {
    const auto published = hub.publish(topic, data);
    EXPECT_TRUE(published.ok()) << published.error().message;
  }
  // How often the limit was in the way.
  [[nodiscard]] std::uint64_t limited(Limit limit) {
    return loop.shard().counters().limited.get(static_cast<std::size_t>(limit));
  }
  // The next answer of a live server.
  bool answers() { return get("/health").status == 200; }

  RealClock clock;
  FakeAccess access;
  FixedSource source;
  Hub hub;
  TemporaryFolder folder;
  SocketFile admin_file;
  Loop loop;

 private:
  static NetConfig free_port(NetConfig net) {
    net.listen.front().port = 0;
    return net;
  }
};

// Waits for what another thread brings about.
template <typename Condition>
bool eventually(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

}  // namespace tickwire
