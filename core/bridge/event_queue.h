// EventQueue: what Python has yet to hear of: changes of demand, questions of access, what an admin wants.
//
// Any thread; one lock, held only to move a value in or out, so that a loop thread never waits for Python.
// Bounded: demand is kept once per feed and topic (the latest counts); a question counts from push_question
// to close_question, whether Python took it or not, and one address has only its share of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.h"
#include "base/mutex.h"
#include "base/shares.h"
#include "bridge/event_fd.h"
#include "fanout/access.h"
#include "hub/topic.h"

namespace tickwire {

inline constexpr std::size_t kOpenQuestionsMax = 8'192;            // of everybody together
inline constexpr std::size_t kOpenQuestionsPerAddressMax = 2'048;  // a session's: kSessionQuestionsMax

struct DemandChange {
  FeedId feed = 0;
  std::string topic;
  bool wanted = false;
};
// What an admin wants of plugins: that the feeds of the one with that name begin anew, or that all log from a
// level on, one of those of log.level.
struct AdminWish {
  std::string restart;  // empty: nothing
  std::string log_level;
};
using BridgeEvent = std::variant<DemandChange, AccessQuestion, AdminWish>;

class EventQueue {
 public:
  // Readable while events wait; made at the first call, which comes before any event.
  Result<int> notify_fd() { return notify_.open(); }

  void push_demand(FeedId feed, const std::string& topic, bool wanted);
  // kUnavailable: past one of the limits above, and not taken.
  Status push_question(AccessQuestion question);
  // Forgets a question, also one that Python has not taken. The shard that asked it, or nothing when it is
  // not open.
  std::optional<std::uint32_t> close_question(std::uint64_t id);
  void forget_feed(FeedId feed);

  // The same plugin twice is one restart, and only the last level counts.
  void push_restart(const std::string& plugin);
  void push_log_level(const std::string& level);

  // Everything that waits: what an admin wants, then demand, then questions in the order asked.
  std::vector<BridgeEvent> take();

 private:
  struct OpenQuestion {
    std::uint32_t shard = 0;
    Share share;                                                 // of one question
    std::optional<std::list<AccessQuestion>::iterator> waiting;  // in waiting_, until Python takes it
  };
  void signal_once() REQUIRES(mutex_);

  EventFd notify_;
  Shares questions_{{kOpenQuestionsMax, kOpenQuestionsPerAddressMax, 1},
                    {Limit::kOpenQuestions, Limit::kOpenQuestionsPerAddress, Limit::kOpenQuestions}};
  Mutex mutex_;
  bool signalled_ GUARDED_BY(mutex_) = false;
  std::map<std::pair<FeedId, std::string>, bool> demand_ GUARDED_BY(mutex_);
  std::list<AccessQuestion> waiting_ GUARDED_BY(mutex_);
  std::set<std::string> restarts_ GUARDED_BY(mutex_);
  std::optional<std::string> log_level_ GUARDED_BY(mutex_);
  std::unordered_map<std::uint64_t, OpenQuestion> open_ GUARDED_BY(mutex_);
};

}  // namespace tickwire
