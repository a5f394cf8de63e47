// Overlap: a topic reaches a session once, however many of its subscriptions match. This is the rule that
// says which one, and the life of the subscriptions that the rule itself makes.
//
// The rule: a subscription to the very topic decides about it; else the pattern that was subscribed first
// (PatternSubscription::order). The one that decides about a topic *covers* it.
//
// A *child* is a subscription to one topic that no client asked for. It is made where a pattern's single
// number, caught_up_to, cannot say what one of its topics owes: events that were missed, topics that resume,
// those whose large message has yet to be made (LargeForms), and what a pattern or a topic that ends leaves
// to the patterns that go on (its *heirs*). It ends once it is live and no pattern of the session that
// matches its topic is behind, or when none matches any more.
//
// A pattern may end that decides about 100,000 topics, so it ends in pieces: it is *ending*, silent but in
// its place, until the children that no other pattern covers are gone and its heirs have what it owed.
//
// Loop thread.
#pragma once

#include <cstdint>
#include <optional>

#include "base/work.h"
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
  // A child that no pattern covers any more, which tidy() has yet to drop: it is silent.
  [[nodiscard]] bool is_over(Session& session, const Subscription& subscription) const;
  // `pattern` has yet to show the topic as it is.
  static bool owes(const PatternSubscription& pattern, const TopicState& state);

  // A child for an update that `pattern` cannot send: it owes all from there on, or, `fresh`, the snapshot.
  void add_child(Session& session, const PatternSubscription& pattern, const Applied& applied, bool fresh);
  // After a child became live.
  void drop_child_if_over(Session& session, SubscriptionIndex index) const;
  // After a pattern became live or ended: drops the children that are over, in pieces (Session::tidying).
  // Nothing is done while another pattern is behind, which has yet to become live. Returns which look at all
  // children (Session::tidies_done) will have begun after this call; 0: none is needed.
  std::uint64_t tidy(Session& session);
  // What `gone`, which is ending, owes of topics that its heirs go on with becomes children, a piece of it,
  // with `place` empty at first. True: all of it.
  bool hand_over(Session& session, const PatternSubscription& gone, std::optional<std::uint64_t>& place,
                 const Budget& budget);

 private:
  // Who goes on with a topic of `ending`: not one that was subscribed after its end, which shows all itself.
  [[nodiscard]] const PatternSubscription* heir_of(Session& session, const PatternSubscription& ending,
                                                   const TopicState& state) const;

  ShardParts& parts_;
};

}  // namespace tickwire
