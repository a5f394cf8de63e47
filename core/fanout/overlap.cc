#include "fanout/overlap.h"

#include <algorithm>
#include <utility>

#include "base/work.h"

namespace tickwire {
namespace {

constexpr std::size_t kPatternsAStep = 8;

bool is_served(const PatternSubscription& pattern) {
  return pattern.phase != Phase::kUnused && !pattern.ending();
}

bool decides_before(const PatternSubscription& rival, const PatternSubscription& pattern,
                    const TopicState& state) {
  return rival.order < pattern.order && rival.unshown_until < state.apply_no;
}

}  // namespace

bool Overlap::overridden(Session& session, const PatternSubscription& pattern,
                         const TopicState& state) const {
  if (!session.overlapping()) return false;
  if (session.find(state.topic->id) != nullptr) return true;
  Work::count(session.patterns().size() / kPatternsAStep);
  return std::ranges::any_of(session.patterns(), [&](const PatternSubscription& rival) {
    const bool decides =
        rival.phase != Phase::kUnused && (!rival.ending() || pattern.order < rival.ends_before);
    return decides && decides_before(rival, pattern, state) && state.is_of(rival.pattern_id);
  });
}

PatternSubscription* Overlap::covering_pattern(Session& session, const TopicState& state) const {
  PatternSubscription* first = nullptr;
  if (session.pattern_count() == 0) return first;
  Work::count(session.patterns().size() / kPatternsAStep);
  for (PatternSubscription& pattern : session.patterns()) {
    if (!is_served(pattern) || (first != nullptr && first->order < pattern.order)) continue;
    if (state.is_of(pattern.pattern_id)) first = &pattern;
  }
  return first;
}

const PatternSubscription* Overlap::heir_of(Session& session, const PatternSubscription& ending,
                                            const TopicState& state) const {
  const PatternSubscription* heir = covering_pattern(session, state);
  return heir != nullptr && heir->order < ending.ends_before ? heir : nullptr;
}

bool Overlap::is_over(Session& session, const Subscription& subscription) const {
  if (!subscription.child || session.ending_count() == 0) return false;
  return covering_pattern(session, parts_.topics.state(subscription.topic_id)) == nullptr;
}

bool Overlap::owes(const PatternSubscription& pattern, const TopicState& state) {
  return pattern.phase == Phase::kBehind && state.last && state.apply_no > pattern.caught_up_to;
}

void Overlap::add_child(Session& session, const PatternSubscription& pattern, const Applied& applied,
                        bool fresh) {
  if (pattern.ending() && heir_of(session, pattern, *applied.state) == nullptr) return;
  Subscription child;
  child.topic_id = applied.state->topic->id;
  child.seq = applied.seq_before;
  child.pace_ms = pattern.pace_ms;
  child.phase = Phase::kBehind;
  child.fresh = fresh;
  child.child = true;
  child.status_told = false;
  const bool held = pattern.held;
  const std::uint16_t pace_ms = fresh ? 0 : pattern.pace_ms;
  const SubscriptionIndex index = TopicTable::add_subscription(session, *applied.state, child);
  if (held) return session.hold(index);
  parts_.dues.owe(session, index, pace_ms);
}

void Overlap::drop_child_if_over(Session& session, SubscriptionIndex index) const {
  const Subscription& child = session.exact()[index];
  TopicState& state = parts_.topics.state(child.topic_id);
  bool covered = false;
  Work::count(session.patterns().size() / kPatternsAStep);
  for (const PatternSubscription& parent : session.patterns()) {
    if (!is_served(parent) || !state.is_of(parent.pattern_id)) continue;
    if (parent.phase != Phase::kLive) return;
    covered = true;
  }
  // What an ending pattern sent of it is not in the numbers of its heirs.
  if (covered && (child.phase != Phase::kLive || session.ending_count() > 0)) return;
  TopicTable::remove_subscription(session, state, index);
}

std::uint64_t Overlap::tidy(Session& session) {
  const auto behind = [](const PatternSubscription& pattern) { return pattern.phase == Phase::kBehind; };
  if (!session.has_children()) return 0;
  // The last of the patterns to be live looks for all: 100 of them may be about the same topics.
  if (session.ending_count() == 0 && std::ranges::any_of(session.patterns(), behind)) return 0;
  session.tidy_again = true;
  const std::uint64_t next = session.tidies_begun + 1;
  if (std::exchange(session.tidying, true)) return next;
  // Children that come to be in a place that was looked at already are looked at when they are live.
  parts_.jobs.add(
      [this, ref = parts_.sessions.ref(session), place = std::size_t{0}](const Budget& budget) mutable {
        Session* const owner = parts_.sessions.find(ref);
        if (owner == nullptr) return true;
        if (place == 0 && std::exchange(owner->tidy_again, false)) ++owner->tidies_begun;
        while (const std::optional<SubscriptionIndex> child = owner->next_child(place, budget)) {
          Work::count();
          drop_child_if_over(*owner, *child);
        }
        if (place < owner->exact().size()) return false;
        place = 0;
        owner->tidies_done = owner->tidies_begun;
        owner->tidying = owner->tidy_again;
        return !owner->tidying;
      });
  return next;
}

// An heir that is behind would take an event topic for not shown yet, and begin it with a snapshot; so that
// gets a child too, though it owes nothing.
bool Overlap::hand_over(Session& session, const PatternSubscription& gone,
                        std::optional<std::uint64_t>& place, const Budget& budget) {
  if (!place) {
    place = gone.caught_up_to;
    for (const PatternSubscription& heir : session.patterns()) {
      if (heir.phase == Phase::kBehind && !heir.ending()) place = std::min(*place, heir.caught_up_to);
    }
  }
  while (TopicState* state = parts_.topics.next_after(*place)) {
    if (budget.spent()) return false;
    place = state->apply_no;
    if (!state->is_of(gone.pattern_id)) continue;
    const PatternSubscription* heir = heir_of(session, gone, *state);
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
    if (owed) parts_.dues.owe(session, index, heir->pace_ms);
  }
  return true;
}

}  // namespace tickwire
