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
enum class Mutation : std::uint8_t { kNone, kSkipSeq, kStaleImage, kLoseFlush, kRepeat, kCursorAhead };

class ModelClient {
 public:
  struct Known {
    std::uint64_t seq = 0;
    std::string status = "live";
  };

  std::set<std::string> wanted;  // topics and patterns
  std::map<int, Known> topics;
  std::string epoch;
  std::string cursor;  // the last that the server gave; empty: none that goes on from anywhere
  // Since who drives the client took them.
  std::uint64_t messages = 0;
  std::uint64_t snapshots = 0;
  std::uint64_t gaps = 0;

  // Notes a command, whose answer is still to come. After that of a subscribe that asks for snapshots, or for
  // the last messages of events, each matching topic may begin so.
  void ask(const std::string& subscribed, bool last);
  void hear(std::string_view text, const Oracle& oracle);
  // What a client of HTTP goes on from: it forgets what came behind the server's cursor, or says itself where
  // it is.
  std::string go_back();
  [[nodiscard]] std::string own_cursor() const;
  // A connection begins; what was asked on the one before is never answered.
  void begin();
  // In another epoch, everything that the client holds is meaningless.
  void enter(std::string_view epoch);
  // It says what the client knows, and nothing else. It may leave out a value topic, which then begins with
  // its state; where an event topic does, events are lost.
  void hear_cursor(std::string_view text);
  // No longer wants it. A topic that leaves the set begins again when it comes back.
  void forget(const std::string& wanted);
  [[nodiscard]] bool wants(int topic) const;

 private:
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
  std::map<int, Known> at_cursor_;
  std::set<int> fresh_;
  std::map<int, int> last_;  // topic: how many subscribes for its last messages were not seen answered
};

}  // namespace tickwire::sim
