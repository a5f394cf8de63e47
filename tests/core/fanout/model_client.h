// A client that knows only docs/PROTOCOL.md and checks every message against it: seq contiguous between
// snapshots or a stated gap, images merged from what it was sent, nothing about topics it does not want.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "model/topic_name.h"

namespace tickwire {

class ModelClient {
 public:
  struct Known {
    std::uint64_t seq = 0;
    std::string status = "live";
    nlohmann::json image = nlohmann::json::object();
  };

  std::set<std::string> wanted;  // as asked for, acked or not
  std::map<std::string, Known> topics;
  std::uint64_t updates = 0;
  std::uint64_t snapshots = 0;
  std::uint64_t gaps = 0;
  std::uint64_t recovered = 0;  // subscriptions

  void hear(const nlohmann::json& message) {
    const std::string type = message["type"];
    if (type == "ack") {
      for (const auto& result : message["results"]) recovered += result.value("recovered", false) ? 1 : 0;
      return;
    }
    if (type == "welcome" || type == "heartbeat") return;
    ASSERT_NE(type, "error") << message;
    const std::string topic = message["topic"];
    ASSERT_TRUE(wants(topic)) << "unwanted: " << message;
    Known& known = topics[topic];
    if (type == "snapshot") {
      ASSERT_GE(message["seq"], known.seq) << "back in time: " << message;
      known = {message["seq"], message["status"], message["data"]};
      ++snapshots;
    } else if (type == "update") {
      ASSERT_EQ(message["seq"], known.seq + 1) << "a silent hole: " << message;
      known.seq = message["seq"];
      if (known.status == "stale") known.status = "live";
      merge(topic, known.image, message["data"]);
      ++updates;
    } else if (type == "gap") {
      ASSERT_TRUE(is_event(topic)) << message;
      ASSERT_EQ(message["from"], known.seq + 1) << message;
      ASSERT_GE(message["to"], message["from"]) << message;
      known.seq = message["to"];
      ++gaps;
    } else {
      ASSERT_EQ(type, "status") << message;
      ASSERT_EQ(message["seq"], known.seq) << message;
      known.status = message["status"];
    }
  }

  [[nodiscard]] bool wants(const std::string& topic) const {
    for (const std::string& text : wanted) {
      if (Pattern::parse(text)->matches(topic)) return true;
    }
    return false;
  }
  // Events are told apart by name in these tests.
  static bool is_event(const std::string& topic) { return topic.starts_with("e."); }

 private:
  static void merge(const std::string& topic, nlohmann::json& image, const nlohmann::json& update) {
    if (is_event(topic)) {
      image = update;
    } else {
      image.merge_patch(update);
    }
  }
};

}  // namespace tickwire
