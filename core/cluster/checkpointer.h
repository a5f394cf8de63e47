// Checkpointer: writes the topics that changed to the table, so that who comes late need not read the log
// from its first entry, and the log may let go of what is old. One node of the cluster does it at a time.
//
//     idle ──due, begin()──> asked ──look()──> full ──write() ...──> end() ──> idle
//       └───────────── a failure, or the right is gone: what was taken is due again ──┘
//
// look() on the thread that follows the log, between two entries: so all rows are of one position. The rest
// on the thread that writes. What each epoch has in the table is not known to the next (an engine that took
// over may have lost the last rows and kept the entries that they are of), so then all topics are due.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "cluster/follower.h"
#include "cluster/log.h"
#include "hub/hub.h"

namespace tickwire::cluster {

inline constexpr std::size_t kRowsAtOnce = 500;

struct CheckpointRules {
  std::int64_t every_us = 1'000'000;
  std::int64_t log_us = 60'000'000;                // entries are kept for so long...
  std::size_t log_bytes = std::size_t{64} << 20U;  // ...as long as they have no more bytes than that
};

// All topics of a hub, where the follower is.
std::vector<Row> all_rows(const Hub& hub, const Follower& follower);

class Checkpointer {
 public:
  Checkpointer(Hub& hub, const Clock& clock, Names& names, CheckpointRules rules)
      : hub_(hub), clock_(clock), names_(names), rules_(rules) {}

  // After each entry (its bytes), and when there was none.
  void look(const Follower& follower, std::size_t bytes) EXCLUDES(mutex_);
  // A piece, when there is something to do. False: there was nothing.
  Result<bool> step(Table& table, const std::string& node) EXCLUDES(mutex_);

 private:
  enum class Phase : std::uint8_t { kIdle, kAsked, kFull };
  struct Mark {
    std::uint64_t n;
    std::int64_t at_us;
    std::uint64_t bytes;  // of all entries so far
  };
  void take_rows(const Follower& follower) REQUIRES(mutex_);
  void mark(const Follower& follower, std::size_t bytes) REQUIRES(mutex_);
  [[nodiscard]] std::uint64_t trim_to() REQUIRES(mutex_);
  Phase phase();
  Result<bool> begin(Table& table, const std::string& node);
  Result<bool> write(Table& table);

  Hub& hub_;
  const Clock& clock_;
  Names& names_;
  const CheckpointRules rules_;
  std::int64_t due_us_ = 0;  // of the thread that writes, as the next:
  std::string right_;

  Mutex mutex_;
  Phase phase_ GUARDED_BY(mutex_) = Phase::kIdle;
  Position here_ GUARDED_BY(mutex_);      // the follower's
  Position at_ GUARDED_BY(mutex_);        // of the rows
  std::string epoch_ GUARDED_BY(mutex_);  // in which all topics were due
  bool all_ GUARDED_BY(mutex_) = false;   // the rows are those of all topics
  std::unordered_set<std::string> due_ GUARDED_BY(mutex_);
  std::vector<Row> rows_ GUARDED_BY(mutex_);  // yet to be written
  std::deque<Mark> marks_ GUARDED_BY(mutex_);
  std::uint64_t bytes_ GUARDED_BY(mutex_) = 0;
};

}  // namespace tickwire::cluster
