// Hopper: a client of a cluster, who knows docs/PROTOCOL.md and moves from node to node. It judges every
// message: seqs contiguous in their epoch, or the jump said by a snapshot or a gap; never back in time; what
// it means is what it means to everybody else (History). Throws Violation.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "history.h"

namespace tickwire::sim {

class Hopper {
 public:
  struct Known {
    std::uint64_t seq = 0;
    bool goes_on = true;  // false: of an epoch that the server does not go on from, so a snapshot comes next
    bool may_go_on = false;  // a pattern said of some of its topics, and not of which, that it does not
    bool asked = false;      // on this connection it said that it goes on from there
  };
  explicit Hopper(std::vector<std::string> topics) : topics_(std::move(topics)) {}

  std::string epoch;
  std::map<std::string, Known> topics;
  std::uint64_t messages = 0, snapshots = 0, gaps = 0, recovered = 0, lost = 0, epochs = 0;

  // What it says first on each connection.
  [[nodiscard]] std::string subscribe();
  // False: it was refused for now, and is to try another node.
  bool hear(const std::string& text, History& history);

 private:
  void hear_ack(const nlohmann::json& message);
  void begin_epoch(const std::string& name, bool goes_on);
  // Whether a message that begins with this seq follows what is known.
  static bool follows(const Known& known, std::uint64_t seq);

  const std::vector<std::string> topics_;
  bool acked_ = false;       // on this connection
  std::string asked_epoch_;  // of what it said that it holds
};

}  // namespace tickwire::sim
