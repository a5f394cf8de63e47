// A real Loop on a free port, with a hub to publish to.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <thread>

#include "fakes/fake_access.h"
#include "hub/hub.h"
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

class FixedHealth final : public HttpSource {
 public:
  [[nodiscard]] std::string health_json() const override { return R"({"status":"ok"})"; }
};

class LiveLoop {
 public:
  explicit LiveLoop(NetConfig net = {})
      : hub(clock, {}), loop(hub, clock, access, shard_config(), free_port(net), health) {
    const Status opened = loop.open();
    EXPECT_TRUE(opened.ok()) << opened.error().message;
    loop.start();
  }

  RawClient connect() { return RawClient(loop.port()); }
  // Past the handshake and the welcome.
  RawClient connect_ws(int receive_buffer = 0) {
    RawClient client(loop.port(), receive_buffer);
    EXPECT_EQ(client.upgrade(), 101);
    EXPECT_NE(client.read_text().find("welcome"), std::string::npos);
    return client;
  }
  void publish(const std::string& topic, const std::string& data) {
    const auto published = hub.publish(topic, data);
    EXPECT_TRUE(published.ok()) << published.error().message;
  }
  // The next answer of a live server.
  bool answers() { return connect().get("/health").status == 200; }

  RealClock clock;
  FakeAccess access;
  FixedHealth health;
  Hub hub;
  Loop loop;

 private:
  static ShardConfig shard_config() {
    ShardConfig config;
    config.epoch = "e1";
    return config;
  }
  static NetConfig free_port(NetConfig net) {
    net.port = 0;
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
