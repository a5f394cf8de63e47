// Visitors: clients that come, subscribe, get their snapshots and go. Visitor `n` wants what connection
// `n % kVisitors` wants, so that the floor can have all that it sends to them ready beforehand.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "protocol/ack.h"
#include "protocol/encode.h"
#include "session/framing.h"
#include "workload.h"

namespace tickwire::bench {

inline constexpr std::uint32_t kVisitors = 1000;

// By visitor: what the server sends after its subscribe, the ack and the snapshots of its topics.
inline std::vector<std::string> visitor_answers(std::uint32_t topics, std::uint32_t topics_each) {
  const TopicNames names(topics);
  Updates updates(topics);
  std::vector<std::string> snapshots;
  for (std::uint32_t topic = 0; topic < topics; ++topic) {
    const std::string name = names.name(topic);
    TopicMessage message;
    message.topic = name;
    message.seq = 1;
    message.ts = 1'790'000'000'000;
    message.data = updates.next_data(topic, 0);
    Framing{}.append(snapshots.emplace_back(), encode_snapshot(message));
  }
  std::vector<std::string> answers;
  for (std::uint32_t visitor = 0; visitor < kVisitors; ++visitor) {
    std::vector<TopicResult> results;
    std::string frames;
    for (const std::uint32_t topic : wanted_topics(visitor, topics, topics_each)) {
      results.push_back({.topic = names.name(topic), .seq = 1, .error = {}});
      frames += snapshots[topic];
    }
    const std::string ack = encode_ack(Format::kJson, "1", results);
    Framing{}.append(answers.emplace_back(), ack);
    answers.back().append(frames);
  }
  return answers;
}

}  // namespace tickwire::bench
