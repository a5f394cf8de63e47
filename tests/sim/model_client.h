// ModelClient: a client that knows docs/PROTOCOL.md and the oracle, and nothing of the server. It checks
// every message: seq contiguous, or the jump said by a snapshot or a gap; the very bytes that were published;
// the image as it was at that seq; nothing about topics it does not want. Throws Violation.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "oracle.h"
#include "sim_socket.h"

namespace tickwire::sim {

// Deliberate faults between server and client, to show that they are noticed.
enum class Mutation : std::uint8_t { kNone, kSkipSeq, kStaleImage, kLoseFlush, kRepeat };

class ModelClient {
 public:
  struct Known {
    std::uint64_t seq = 0;
    std::string status = "live";
  };

  std::set<std::string> wanted;  // topics and patterns
  std::map<int, Known> topics;
  std::string epoch;
  // Since who drives the client took them.
  std::uint64_t messages = 0;
  std::uint64_t snapshots = 0;
  std::uint64_t gaps = 0;

  // Notes a command, whose answer is still to come. After that of a subscribe that asks for snapshots, or for
  // the last messages of events, each matching topic may begin so.
  void ask(const std::string& subscribed, bool last);
  void hear(std::string_view text, const Oracle& oracle);
  [[nodiscard]] bool wants(int topic) const;

 private:
  void hear_welcome(std::string_view text);
  void hear_ack(std::string_view text);
  void hear_snapshot(std::string_view text, Known& known, int topic, const Oracle& oracle);
  // Whether what follows `seq` is the beginning of a replay. The last messages begin anywhere where nothing
  // is known, else they leave nothing out.
  bool begins_again(const Known& known, int topic, std::uint64_t seq);
  void hear_update(std::string_view text, Known& known, int topic, const Oracle& oracle);

  struct Asked {
    std::string subscribed;  // the topic or pattern; empty: it begins nothing
    bool last;
  };
  std::deque<Asked> asked_;  // in their order, which is that of the answers
  std::set<int> fresh_;
  std::map<int, int> last_;  // topic: how many subscribes for its last messages were not seen answered
};

}  // namespace tickwire::sim
