// HttpHistory: the answer to GET /v1/history/<topic>: what the topic's ring keeps, oldest first, in pieces.
//
// Loop thread. It holds the topic. Invariant: the updates of one answer are without holes; where the ring
// lost one while the answer was put together, the answer ends before it, and `next` leads to what is left.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/work.h"
#include "hub/topic.h"
#include "net/http_message.h"

namespace tickwire {

// ?last= and ?since=, of which at most one is given.
struct HistoryQuery {
  std::optional<std::uint64_t> since;  // the last seq that the client has
  std::string epoch;                   // that `since` belongs to; empty: it does not say
  std::uint64_t last = 0;              // so many updates; 0: all that are kept
};
// kBadMessage names the parameter.
Result<HistoryQuery> read_history_query(const HttpRequest& request);

class HttpHistory {
 public:
  // `topic` has an update.
  HttpHistory(TopicPtr topic, std::string epoch, const HistoryQuery& query);

  // A piece. The body, once it is whole.
  std::optional<std::string> run(const Budget& budget);
  // It ended where kGetBytesMax was reached.
  [[nodiscard]] bool cut_short() const { return cut_short_; }

 private:
  // Writes what comes before the updates, the first of which has that seq.
  void begin(std::uint64_t first);
  // Appends; false: the answer ends before it.
  bool add(const Update& update);

  const TopicPtr topic_;
  const std::string epoch_;
  const std::optional<std::uint64_t> since_;
  const std::uint64_t end_;  // the seq of its last update
  const bool fits_;          // since_ is of this epoch, and no later than that
  std::uint64_t next_;       // the seq to go on with
  bool any_ = false;
  bool cut_short_ = false;
  std::string body_;
};

}  // namespace tickwire
