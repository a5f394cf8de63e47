// Schedule: everything the floor will send, worked out beforehand: whole frames, and for each turn which
// connections get which of them. So the floor itself has nothing left to decide.
//
// The frames are those of the server (protocol/encode.h) for the same workload; only the digits of `due` are
// written at the turn in which a frame goes out.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/encode.h"
#include "session/framing.h"
#include "workload.h"

namespace tickwire::bench {

class Schedule {
 public:
  struct Plan {
    double rate = 0;           // updates a second
    std::int64_t turn_us = 0;  // from one turn to the next
    double seconds = 0;
    std::uint32_t topics = 0;
    std::uint32_t topics_each = 0;  // of a connection
    std::uint32_t connections = 0;
  };
  // What one connection gets in one turn: frames()[begin, end).
  struct Run {
    std::uint32_t connection;
    std::uint32_t begin;
    std::uint32_t end;
  };
  struct Turn {
    std::int64_t at_us = 0;  // from the start
    std::size_t runs_begin = 0, runs_end = 0;
    std::size_t updates_begin = 0, updates_end = 0;
  };

  // `seqs`: by topic, what an earlier schedule ended with, so that the sequences go on; empty: they begin.
  Schedule(const Plan& plan, std::vector<std::uint64_t> seqs) : plan_(plan), seqs_(std::move(seqs)) {
    seqs_.resize(plan.topics, 1);
    make_frames();
    find_subscribers();
    std::uint64_t next = 0;
    for (std::int64_t end = plan.turn_us; next < starts_.size(); end += plan.turn_us) {
      const std::uint64_t first = next;
      while (next < starts_.size() && due_us(next, plan.rate) <= end) ++next;
      if (next > first) add_turn(end, first, next);  // a turn without updates would cost a wake-up
    }
    starts_.push_back(arena_.size());
  }

  [[nodiscard]] const Plan& plan() const { return plan_; }
  [[nodiscard]] const std::vector<std::uint64_t>& seqs() const { return seqs_; }
  [[nodiscard]] const std::vector<Turn>& turns() const { return turns_; }
  [[nodiscard]] const Run& run(std::size_t i) const { return runs_[i]; }
  // The frame at one place of a run.
  [[nodiscard]] std::string_view frame(std::uint32_t place) const {
    const std::uint32_t update = deliveries_[place];
    return std::string_view(arena_).substr(starts_[update], starts_[update + 1] - starts_[update]);
  }
  void stamp(const Turn& turn, std::int64_t start_us) {
    for (std::size_t i = turn.updates_begin; i < turn.updates_end; ++i)
      write_due(arena_.data() + starts_[i + 1] - kDueTail.size() - kDueDigits,
                start_us + due_us(i, plan_.rate));
  }

 private:
  void make_frames() {
    const TopicNames names(plan_.topics);
    Updates updates(plan_.topics);
    const auto count = static_cast<std::uint64_t>(plan_.rate * plan_.seconds);
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::uint32_t topic = updates.next_topic();
      TopicMessage message;
      const std::string name = names.name(topic);
      message.topic = name;
      message.seq = ++seqs_[topic];
      message.ts = 1'790'000'000'000 + static_cast<std::int64_t>(i);
      message.data = updates.next_data(topic, 0);
      topics_.push_back(topic);
      starts_.push_back(arena_.size());
      Framing{}.append(arena_, encode_update(message));
    }
  }

  void find_subscribers() {
    subscribers_.resize(plan_.topics);
    for (std::uint32_t connection = 0; connection < plan_.connections; ++connection) {
      for (const std::uint32_t topic : wanted_topics(connection, plan_.topics, plan_.topics_each))
        subscribers_[topic].push_back(connection);
    }
  }

  void add_turn(std::int64_t at_us, std::uint64_t first, std::uint64_t end) {
    std::vector<std::pair<std::uint32_t, std::uint32_t>> found;  // connection, update
    for (std::uint64_t i = first; i < end; ++i) {
      for (const std::uint32_t connection : subscribers_[topics_[i]])
        found.emplace_back(connection, static_cast<std::uint32_t>(i));
    }
    std::sort(found.begin(), found.end());
    Turn turn{at_us, runs_.size(), runs_.size(), first, end};
    for (const auto& [connection, update] : found) {
      const auto at = static_cast<std::uint32_t>(deliveries_.size());
      if (runs_.size() == turn.runs_begin || runs_.back().connection != connection)
        runs_.push_back({connection, at, at});
      deliveries_.push_back(update);
      ++runs_.back().end;
    }
    turn.runs_end = runs_.size();
    turns_.push_back(turn);
  }

  Plan plan_;
  std::vector<std::uint64_t> seqs_;    // by topic, at the end
  std::string arena_;                  // all frames
  std::vector<std::size_t> starts_;    // by update: where its frame starts; one more at the end
  std::vector<std::uint32_t> topics_;  // by update
  std::vector<std::vector<std::uint32_t>> subscribers_;  // by topic
  std::vector<std::uint32_t> deliveries_;                // updates, in the order of runs_
  std::vector<Run> runs_;
  std::vector<Turn> turns_;
};

}  // namespace tickwire::bench
