// EventQueue: what happened on loop threads and Python has yet to hear of: changes of demand, questions of
// access.
//
// Any thread; one lock, held only to move a value in or out, so that a loop thread never waits for Python.
// Bounded: demand is kept once per feed and topic (the latest counts), questions from push to close_question
// by their bytes, whether Python took them or not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.h"
#include "bridge/event_fd.h"
#include "fanout/access.h"
#include "hub/topic.h"

namespace tickwire {

// More than a subscribe of kTopicsPerCommandMax guarded topics with an ordinary token.
inline constexpr std::size_t kOpenQuestionBytesMax = 32U << 20U;

struct DemandChange {
  FeedId feed = 0;
  std::string topic;
  bool wanted = false;
};
using BridgeEvent = std::variant<DemandChange, AccessQuestion>;

class EventQueue {
 public:
  // Readable while events wait; made at the first call, which comes before any event.
  Result<int> notify_fd() { return notify_.open(); }

  void push_demand(FeedId feed, const std::string& topic, bool wanted);
  // False: past kOpenQuestionBytesMax, and not taken.
  bool push_question(AccessQuestion question);
  // Forgets a question. The shard that asked it, or nothing when it is not open.
  std::optional<std::uint32_t> close_question(std::uint64_t id);
  void forget_feed(FeedId feed);

  // Everything that waits: demand first, then questions in the order asked.
  std::vector<BridgeEvent> take();

 private:
  struct OpenQuestion {
    std::uint32_t shard;
    std::size_t bytes;
  };
  void signal_once();

  EventFd notify_;
  std::mutex mutex_;
  // Protected by mutex_:
  bool signalled_ = false;
  std::map<std::pair<FeedId, std::string>, bool> demand_;
  std::vector<AccessQuestion> questions_;
  std::unordered_map<std::uint64_t, OpenQuestion> open_;
  std::size_t open_bytes_ = 0;
};

// What a question costs while it is open.
std::size_t question_bytes(const AccessQuestion& question);

}  // namespace tickwire
