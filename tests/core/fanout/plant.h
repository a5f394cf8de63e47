// A hub and one shard with fakes around them, and clients that check what they are told.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "fakes/fake_access.h"
#include "fakes/fake_clock.h"
#include "fakes/fake_socket.h"
#include "fanout/shard.h"

namespace tickwire {

struct Plant {
  explicit Plant(ShardConfig config = {}, const std::vector<TopicRule>& rules = {})
      : hub(clock, rules), shard(at_epoch(hub), clock, access, std::move(config), [this] { ++wakes; }) {}

  static Hub& at_epoch(Hub& hub) {
    hub.set_epoch("e1");
    return hub;
  }

  void publish(std::string_view topic, std::string_view data) {
    const auto result = hub.publish(topic, data);
    ASSERT_TRUE(result) << result.error().message;
  }
  // How often the limit was in the way.
  [[nodiscard]] std::uint64_t limited(Limit limit) {
    return shard.counters().limited.get(static_cast<std::size_t>(limit));
  }
  // Runs the shard until it has nothing more to do now.
  void run() {
    for (int i = 0; i < 1000; ++i) {
      const std::int64_t rest = shard.run();
      if (rest < 0) return;
      if (rest > 0) clock.advance_ms((rest + 999) / 1000);
    }
    FAIL() << "the shard does not come to rest";
  }

  FakeClock clock;
  FakeAccess access;
  Hub hub;
  int wakes = 0;
  Shard shard;
};

struct Client {
  explicit Client(Plant& plant, ClientInfo info = {}, Compression compression = Compression::kNone,
                  Format format = Format::kJson)
      : plant(plant),
        socket(format),
        session(&plant.shard.open(socket, std::move(info), {.format = format, .compression = compression})) {}
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client() { leave(); }

  void leave() {
    if (session != nullptr) plant.shard.on_closed(*session);
    session = nullptr;
  }
  // `text` is JSON, whatever the format.
  void say(std::string_view text) {
    if (socket.format == Format::kJson) return plant.shard.on_message(*session, text);
    const auto message = nlohmann::json::parse(text);
    const auto bytes = socket.format == Format::kCbor ? nlohmann::json::to_cbor(message)
                                                      : nlohmann::json::to_msgpack(message);
    say_bytes({bytes.begin(), bytes.end()});
  }
  void say_bytes(const std::string& bytes) { plant.shard.on_message(*session, bytes); }
  void subscribe(const std::string& topic, const std::string& more = "") {
    say(R"({"type":"subscribe","topics":[")" + topic + "\"]" + more + "}");
  }
  void unsubscribe(const std::string& topic) { say(R"({"type":"unsubscribe","topics":[")" + topic + "\"]}"); }
  void block() { socket.block_next = true; }
  void unblock() {
    socket.block_next = false;
    if (!socket.blocked) return;
    socket.blocked = false;
    plant.shard.on_writable(*session);
  }
  // Type, topic and seq (or data) of the messages since the last call: "update a.b 3".
  std::vector<std::string> heard() {
    std::vector<std::string> out;
    for (const auto& message : socket.take()) {
      std::string line = message["type"].get<std::string>();
      if (message.contains("topic")) line += " " + message["topic"].get<std::string>();
      if (message.contains("seq")) line += " " + std::to_string(message["seq"].get<int>());
      if (message["type"] == "gap") line += " " + message["from"].dump() + "-" + message["to"].dump();
      if (message["type"] == "status") line += " " + message["status"].get<std::string>();
      out.push_back(line);
    }
    return out;
  }

  Plant& plant;
  FakeSocket socket;
  Session* session;
};

using Lines = std::vector<std::string>;

}  // namespace tickwire
