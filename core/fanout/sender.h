// Sender: one write of one session: its control messages, then the updates its live subscriptions get now,
// then what those that are behind owe. What does not fit, or finds the socket full, falls behind: nothing is
// queued.
//
// Loop thread. Owns the encoder with its write buffer, which is all the memory that writing takes.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string>

#include "base/work.h"
#include "fanout/applied.h"
#include "fanout/cursors.h"
#include "fanout/encoder.h"
#include "fanout/large_forms.h"
#include "fanout/overlap.h"
#include "fanout/shard_parts.h"

namespace tickwire {

// A write to one socket, with the system call: some 10 us.
inline constexpr std::uint64_t kWriteSteps = 64;

class Sender {
 public:
  Sender(ShardParts& parts, Overlap& overlap)
      : parts_(parts),
        overlap_(overlap),
        cursors_(parts, overlap),
        encoder_(parts.config.session.write_bytes_max) {}

  // Items in the order of their apply_no.
  void send(Session& session, std::span<const LiveItem> items = {});
  // Where the client of a session is, for an answer; empty: a command of it is under way.
  [[nodiscard]] std::string cursor(Session& session) { return cursors_.of(session); }
  // The cursors that were due, and found no room in their run of the shard (Cursors::has_room): as many as
  // have room now.
  void send_cursors();
  [[nodiscard]] bool owes_cursors() const { return !cursors_owed_.empty(); }

 private:
  void count(std::size_t bytes);
  void tell_epoch(Session& session) const;
  // Says where the client of a stream of events is, where that is due.
  void append_cursor(Session& session);
  void deliver(Session& session, const LiveItem& item);
  void deliver_exact(Session& session, SubscriptionIndex index, const Applied& applied);
  void deliver_pattern(Session& session, const LiveItem& item);

  // Each returns false when the write is full, or the budget spent, and more is owed.
  bool catch_up(Session& session);
  bool catch_up_exact(Session& session, SubscriptionIndex index);
  enum class Caught : std::uint8_t {
    kUp,
    kFull,   // of the write, or the budget: as false
    kLater,  // it is due again by itself
    kLost,   // the ring does not have all that a value topic owes
  };
  Caught send_owed(Session& session, SubscriptionIndex index, TopicState& state);
  // What a snapshot can show now: the topic's last update, or, where its message has yet to be made, one
  // before it. Null: none, and the subscription is due again by itself.
  UpdatePtr to_show(Session& session, SubscriptionIndex index, const TopicState& state);
  bool snapshot(Session& session, Subscription& subscription, TopicState& state, const Update& update);
  // What the ring has of the updates after the subscription's seq; a hole before them is a gap.
  Caught replay(Session& session, SubscriptionIndex index, const TopicState& state);
  bool gap(Session& session, Subscription& subscription, const TopicState& state, std::uint64_t kept_from);
  bool catch_up_pattern(Session& session, SubscriptionIndex index);
  bool send_round(Session& session, SubscriptionIndex index);
  // Topics that changed after pattern.caught_up_to, which is moved on, up to the apply number `until`.
  bool show_changes(Session& session, PatternSubscription& pattern, std::uint64_t until);
  bool show(Session& session, PatternSubscription& pattern, TopicState& state);

  ShardParts& parts_;
  Overlap& overlap_;
  Cursors cursors_;
  std::deque<SessionRef> cursors_owed_;  // each session once
  Encoder encoder_;
  LargeForms large_forms_{parts_};
  Budget budget_;               // of this write
  std::uint64_t messages_ = 0;  // in this write, without control messages
};

}  // namespace tickwire
