#include "fanout/overlap.h"

#include <algorithm>

#include "base/work.h"

namespace tickwire {

bool Overlap::overridden(Session& session, const PatternSubscription& pattern,
                         const TopicState& state) const {
  if (!session.overlapping()) return false;
  if (session.find(state.topic->id) != nullptr) return true;
  Work::count(state.patterns.size());
  return std::any_of(state.patterns.begin(), state.patterns.end(), [&](const PatternState* other) {
    const PatternSubscription* rival = session.find_pattern(other->id);
    return rival != nullptr && rival->order < pattern.order && rival->unshown_until < state.apply_no;
  });
}

PatternSubscription* Overlap::covering_pattern(Session& session, const TopicState& state) const {
  PatternSubscription* first = nullptr;
  if (session.pattern_count() == 0) return first;
  Work::count(state.patterns.size());
  for (const PatternState* pattern : state.patterns) {
    PatternSubscription* found = session.find_pattern(pattern->id);
    if (found != nullptr && (first == nullptr || found->order < first->order)) first = found;
  }
  return first;
}

bool Overlap::owes(const PatternSubscription& pattern, const TopicState& state) {
  return pattern.phase == Phase::kBehind && state.last && state.apply_no > pattern.caught_up_to;
}

void Overlap::add_child(Session& session, const PatternSubscription& pattern, const Applied& applied,
                        bool fresh) {
  Subscription child;
  child.topic_id = applied.state->topic->id;
  child.seq = applied.seq_before;
  child.pace_ms = pattern.pace_ms;
  child.phase = Phase::kBehind;
  child.fresh = fresh;
  child.child = true;
  const bool held = pattern.held;
  const std::uint16_t pace_ms = fresh ? 0 : pattern.pace_ms;
  const SubscriptionIndex index = TopicTable::add_subscription(session, *applied.state, child);
  if (held) return session.hold(index);
  parts_.dues.owe(session, index, pace_ms);
}

void Overlap::drop_child_if_done(Session& session, SubscriptionIndex index) const {
  TopicState& state = parts_.topics.state(session.exact()[index].topic_id);
  for (const PatternState* pattern : state.patterns) {
    const PatternSubscription* parent = session.find_pattern(pattern->id);
    if (parent != nullptr && parent->phase != Phase::kLive) return;
  }
  TopicTable::remove_subscription(session, state, index);
}

void Overlap::drop_children_that_are_done(Session& session) const {
  for (const SubscriptionIndex child : session.children()) {
    if (session.exact()[child].phase == Phase::kLive) drop_child_if_done(session, child);
  }
}

void Overlap::drop_uncovered_children(Session& session) const {
  for (const SubscriptionIndex child : session.children()) {
    TopicState& state = parts_.topics.state(session.exact()[child].topic_id);
    if (covering_pattern(session, state) != nullptr) continue;
    TopicTable::remove_subscription(session, state, child);
  }
}

// An heir that is behind would take an event topic for not shown yet, and begin it with a snapshot; so that
// gets a child too, though it owes nothing.
void Overlap::hand_over(Session& session, const PatternSubscription& gone, const PatternState& ended) {
  constexpr std::uint64_t kNothing = UINT64_MAX;
  std::uint64_t from = gone.phase == Phase::kBehind ? gone.caught_up_to : kNothing;
  for (const PatternSubscription& heir : session.patterns()) {
    if (heir.phase == Phase::kBehind) from = std::min(from, heir.caught_up_to);
  }
  if (from == kNothing) return;
  while (TopicState* state = parts_.topics.next_after(from)) {
    from = state->apply_no;
    if (std::ranges::find(state->patterns, &ended) == state->patterns.end()) continue;
    const PatternSubscription* heir = covering_pattern(session, *state);
    const bool decided = heir != nullptr && gone.order < heir->order;
    if (!decided || session.find(state->topic->id) != nullptr) continue;
    const bool owed = owes(gone, *state);
    if (!owed && !(state->is_event() && owes(*heir, *state))) continue;
    Subscription child;
    child.topic_id = state->topic->id;
    child.seq = state->seq();
    child.status = state->last->status();
    child.pace_ms = heir->pace_ms;
    child.phase = owed ? Phase::kBehind : Phase::kLive;
    child.fresh = owed;
    child.child = true;
    const SubscriptionIndex index = TopicTable::add_subscription(session, *state, child);
    if (owed) parts_.dues.owe(session, index, 0);
  }
}

}  // namespace tickwire
