// Overlap: a topic reaches a session once, however many of its subscriptions match. This is the rule that
// says which one, and the life of the subscriptions that the rule itself makes.
//
// The rule: a subscription to the very topic decides about it; else the pattern that was subscribed first
// (PatternSubscription::order). The one that decides about a topic *covers* it.
//
// A *child* is a subscription to one topic that no client asked for. It is made where a pattern's single
// number, caught_up_to, cannot say what one of its topics owes: events that were missed, topics that resume,
// and what a pattern or a topic that ends leaves to the patterns that go on (its *heirs*). It ends once it is
// live and no pattern of the session that matches its topic is behind.
//
// Loop thread.
#pragma once

#include <cstdint>

#include "fanout/applied.h"
#include "fanout/shard_parts.h"

namespace tickwire {

class Overlap {
 public:
  explicit Overlap(ShardParts& parts) : parts_(parts) {}

  // Another of the session's subscriptions decides about a topic that `pattern` matches. A pattern that began
  // without snapshots decides about a topic from the topic's next update on: until then, a later pattern that
  // wants snapshots shows the topic.
  [[nodiscard]] bool overridden(Session& session, const PatternSubscription& pattern,
                                const TopicState& state) const;
  // The pattern that decides about a topic where no subscription to that topic does. Null: none matches.
  [[nodiscard]] PatternSubscription* covering_pattern(Session& session, const TopicState& state) const;
  // `pattern` has yet to show the topic as it is.
  static bool owes(const PatternSubscription& pattern, const TopicState& state);

  // A child for an update that `pattern` cannot send: it owes all from there on, or, `fresh`, the snapshot.
  void add_child(Session& session, const PatternSubscription& pattern, const Applied& applied, bool fresh);
  // After a child, or a pattern, became live.
  void drop_child_if_done(Session& session, SubscriptionIndex index) const;
  void drop_children_that_are_done(Session& session) const;
  // Drops the children that no pattern covers any more.
  void drop_uncovered_children(Session& session) const;
  // `gone` was removed from the session; what it owed of topics that its heirs go on with becomes children.
  void hand_over(Session& session, const PatternSubscription& gone, const PatternState& ended);

 private:
  ShardParts& parts_;
};

}  // namespace tickwire
