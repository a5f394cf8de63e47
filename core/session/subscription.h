// A subscription is live or behind. There is nothing else.
//
//              the socket is full, the write is full, or its pace says not yet
//     kLive ───────────────────────────────────────────────────────────────────> kBehind
//       ^                                                                          │
//       └──────────────────────────────────────────────────────────────────────────┘
//              the image (events: the ring, or an explicit gap) was sent; a new one starts here
//
// Live: it gets every update, each contiguous to the last. Behind: it owes its client the current state, sent
// as soon as socket and pace allow. So a slow client, max_rate and the first snapshot are one mechanism, and
// what a slow client costs is a flag. Plain values; loop thread of the shard.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "codec/window_trail.h"
#include "model/topic_kind.h"
#include "session/apply_numbers.h"

namespace tickwire {

enum class Phase : std::uint8_t { kUnused, kLive, kBehind };

// To one topic. 24 bytes; the topic's list of subscribers holds 8 more.
struct Subscription {
  std::uint64_t seq = 0;       // the last one sent
  WindowTrail trail;           // of its messages; compressed streams only
  std::uint32_t topic_id = 0;  // hub's TopicId
  std::uint16_t pace_ms = 0;   // at least this long between two messages; 0: every update
  Phase phase : 2 = Phase::kUnused;
  TopicStatus status : 2 = TopicStatus::kLive;  // what the client knows...
  bool status_told : 1 = true;                  // ...else it is told the status, whatever that is
  bool fresh : 1 = true;                        // nothing was sent: owes a snapshot, whatever the delivery
  bool child : 1 = false;                       // catches up a topic for a pattern; ends when that is live
  bool resume : 1 = false;                      // owes each update after seq, as long as the ring has them
  bool asked : 1 = false;                       // by the client, for this very topic
  bool from_snapshot : 1 = false;               // the oldest message of the trail was a snapshot
  bool queued : 1 = false;                      // in the session's list of those to be sent
  bool held : 1 = false;                        // silent until the command that it belongs to is answered
  bool waits : 1 = false;                       // begins when its pace lets it, and not at once
};
static_assert(sizeof(Subscription) == 24);

// Whether a client that has all of the topic's updates knows this status, too.
inline bool knows_status(const Subscription& subscription, TopicStatus status) {
  return subscription.status_told && subscription.status == status;
}

// One sending of what a pattern with a max_rate owes, which may take many writes, while its topics go on
// changing. Each topic is sent once in it at most, as it is then: those that have not changed since the round
// began in the order of the log, then `late`, those that changed before their turn came.
struct PacedRound {
  std::uint64_t until = 0;          // apply number of the shard when the round began; 0: none is under way
  bool more = false;                // something changed since
  std::vector<std::uint32_t> late;  // topic ids
  ApplyNumbers ahead;               // of late ones: the apply numbers at which this round sent them...
  ApplyNumbers shown;               // ...and the last one did: they are not owed again for those
};

// To all topics that match. Live it has no state per topic; behind, one number says what it owes: everything
// that its shard applied after it.
struct PatternSubscription {
  std::uint64_t caught_up_to = 0;  // apply number of the shard; only while behind
  std::uint64_t last_sent = 0;     // apply number of the last message in the trail
  // Begun again with the last messages of events: topics that changed later had been owed a snapshot by then.
  std::optional<std::uint64_t> events_shown_until;
  std::uint64_t unshown_until = 0;  // begun without snapshots: topics not changed since have not been sent
  WindowTrail trail;
  std::uint32_t pattern_id = 0;  // the shard's
  std::uint32_t order = 0;       // of its subscribing: the earlier one delivers what several match
  std::uint16_t pace_ms = 0;
  Phase phase = Phase::kUnused;
  bool queued = false;  // in the session's list of those to be sent
  bool held = false;    // silent until the command that it belongs to is answered
  bool waits = false;   // begins when its pace lets it, and not at once
  // Not 0: the pattern is ending. It is silent, and decides about its topics until its heirs have them: the
  // patterns of a smaller order than this.
  std::uint32_t ends_before = 0;
  std::unique_ptr<PacedRound> round;  // where pace_ms > 0, from its first one on

  [[nodiscard]] bool ending() const { return ends_before != 0; }
};

// Names a subscription within its session; the topmost bit tells patterns.
using SubscriptionIndex = std::uint32_t;
inline constexpr SubscriptionIndex kPatternBit = 1U << 31U;
constexpr bool is_pattern_index(SubscriptionIndex index) {
  return (index & kPatternBit) != 0;
}

}  // namespace tickwire
