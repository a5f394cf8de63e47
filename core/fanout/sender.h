// Sender: one write of one session: its control messages, then the updates its live subscriptions get now,
// then what those that are behind owe. What does not fit, or finds the socket full, falls behind: nothing is
// queued.
//
// Loop thread. Owns the encoder with its write buffer, which is all the memory that writing takes.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "fanout/applied.h"
#include "fanout/encoder.h"
#include "fanout/shard_parts.h"

namespace tickwire {

class Sender {
 public:
  explicit Sender(ShardParts& parts) : parts_(parts), encoder_(parts.config.session.write_bytes_max) {}

  // Items in the order of their apply_no.
  void send(Session& session, std::span<const LiveItem> items = {});

  // The subscription is behind from now on, and in the list of those to be sent (at its pace).
  void owe(Session& session, SubscriptionIndex index, std::uint16_t pace_ms);

 private:
  void count(std::size_t bytes);
  void deliver(Session& session, const LiveItem& item);
  void deliver_exact(Session& session, SubscriptionIndex index, const Applied& applied);
  void deliver_pattern(Session& session, const LiveItem& item);
  // Another of the session's subscriptions decides about this topic.
  [[nodiscard]] bool overridden(Session& session, const PatternSubscription& pattern,
                                const TopicState& state) const;
  void add_child(Session& session, std::uint16_t pace_ms, const Applied& applied);

  // Each returns false when the write is full and more is owed.
  bool catch_up(Session& session);
  bool catch_up_exact(Session& session, SubscriptionIndex index);
  // `missed`: what the ring has of the updates after the subscription's seq; a hole before it is a gap.
  bool replay(Session& session, Subscription& subscription, const TopicState& state,
              std::span<const UpdatePtr> missed);
  bool catch_up_pattern(Session& session, PatternSubscription& pattern);
  void drop_child_if_done(Session& session, SubscriptionIndex index) const;

  ShardParts& parts_;
  Encoder encoder_;
  std::uint64_t messages_ = 0;  // in this write, without control messages
};

}  // namespace tickwire
