#include "fanout/subscriptions.h"

#include <algorithm>
#include <string>

namespace tickwire {
namespace {

Error too_many(std::size_t count, std::string_view of_what, std::size_t limit) {
  return {ErrorCode::kTooMany,
          "topics: this session has " + std::to_string(count) + " " + std::string(of_what) + ", at most " +
              std::to_string(limit) + " are allowed",
          ""};
}

Error too_many_subscriptions(const Session& session, std::size_t limit) {
  return too_many(session.subscription_count(), "subscriptions", limit);
}

}  // namespace

TopicResult Subscriptions::subscribe(Session& session, std::string_view text,
                                     const SubscribeOptions& options) {
  const Result<Pattern> pattern = Pattern::parse(text);
  if (!pattern) return {std::string(text), {}, pattern.error()};
  if (!is_pattern(text)) return subscribe_topic(session, text, options);
  const PatternState* known = parts_.topics.find_pattern(text);
  const bool again = known != nullptr && session.find_pattern(known->id) != nullptr;
  const SessionConfig& limits = parts_.config.session;
  if (!again && session.pattern_count() >= limits.patterns_max) {
    return {std::string(text), {}, too_many(session.pattern_count(), "patterns", limits.patterns_max)};
  }
  if (!again && session.subscription_count() >= limits.subscriptions_max) {
    return {std::string(text), {}, too_many_subscriptions(session, limits.subscriptions_max)};
  }
  return subscribe_pattern(session, *pattern, options);
}

TopicResult Subscriptions::subscribe_topic(Session& session, std::string_view text,
                                           const SubscribeOptions& options) {
  Result<TopicState*> wanted = parts_.topics.want(text);
  if (!wanted) return {std::string(text), {}, wanted.error()};
  TopicState& state = **wanted;
  SubscriptionIndex index = 0;
  Subscription* known = session.find(state.topic->id, &index);
  TopicResult result{std::string(text), state.seq(), {}};
  if (known != nullptr && known->asked) {
    parts_.topics.unwant(state);  // it has been wanted for this session before
  } else if (session.subscription_count() >= parts_.config.session.subscriptions_max) {
    parts_.topics.unwant(state);
    return {std::string(text), {}, too_many_subscriptions(session, parts_.config.session.subscriptions_max)};
  } else if (known != nullptr) {
    session.adopt_child(*known);
    parts_.counters.subscriptions.add(1);
  } else {
    Subscription added;
    added.topic_id = state.topic->id;
    added.asked = true;
    index = TopicTable::add_subscription(session, state, added);
    parts_.counters.subscriptions.add(1);
  }
  session.exact()[index].pace_ms = options.pace_ms;
  // Takes over from a pattern, and so what that owes.
  const PatternSubscription* cover = known == nullptr ? covering_pattern(session, state) : nullptr;
  SubscribeOptions effective = options;
  if (cover != nullptr && owes(*cover, state)) effective.snapshot = true;
  begin(session, index, effective, state, result);
  return result;
}

void Subscriptions::begin(Session& session, SubscriptionIndex index, const SubscribeOptions& options,
                          const TopicState& state, TopicResult& result) {
  Subscription& subscription = session.exact()[index];
  const std::uint64_t* since = nullptr;
  if (options.since != nullptr) {
    const auto found = options.since->find(state.topic->name);
    if (found != options.since->end()) since = &found->second;
  }
  // What it owes it goes on owing where only the pace is new.
  if (subscription.phase == Phase::kBehind && !options.snapshot && since == nullptr && options.last == 0)
    return;
  if (subscription.resume && subscription.seq > state.seq() && since == nullptr) {
    // Resumed ahead of this shard: an image older than what the client has would take it back.
    subscription.fresh = options.snapshot;
    return;
  }
  subscription.seq = state.seq();
  subscription.status = state.last ? state.last->status() : TopicStatus::kLive;
  subscription.trail.clear();
  subscription.resume = false;
  subscription.fresh = options.snapshot && state.last;
  if (since != nullptr) resume(subscription, *since, options, state, result);
  if (options.last > 0 && subscription.fresh && state.is_event()) {
    const std::uint64_t asked = state.seq() + 1 - std::min(options.last, state.seq());
    subscription.seq = std::min(std::max(asked, state.topic->first_kept()) - 1, state.seq());
    subscription.resume = true;
    subscription.fresh = false;
  }
  subscription.phase = subscription.fresh || subscription.resume ? Phase::kBehind : Phase::kLive;
  if (subscription.phase == Phase::kBehind) sender_.owe(session, index, 0);
}

void Subscriptions::resume(Subscription& subscription, std::uint64_t since, const SubscribeOptions& options,
                           const TopicState& state, TopicResult& result) {
  // Another shard may have given the client what is still in the inbox of this one.
  const UpdatePtr newest = state.topic->last();
  const bool known = options.same_epoch && since <= (newest ? newest->seq() : 0);
  const bool recovered = known && state.topic->first_kept() <= since + 1;
  result.recovered = recovered && result.recovered.value_or(true);
  if (known) result.missed = result.missed.value_or(0) + std::max(state.seq(), since) - since;
  // Of an event topic the client can be told exactly what is gone; else it begins anew, also where it asked
  // for no snapshot: it holds a state that is not true any more.
  subscription.resume = recovered || (known && state.is_event());
  subscription.fresh = !subscription.resume && state.last;
  if (subscription.resume) subscription.seq = since;
}

TopicResult Subscriptions::subscribe_pattern(Session& session, const Pattern& pattern,
                                             const SubscribeOptions& options) {
  PatternState& state = parts_.topics.want_pattern(pattern);
  SubscriptionIndex index = 0;
  if (session.find_pattern(state.id, &index) == nullptr) {
    PatternSubscription added;
    added.pattern_id = state.id;
    added.phase = Phase::kLive;
    index = session.add_pattern(added);
    state.subscribers.push_back({session.slot, index});
    parts_.counters.subscriptions.add(1);
  }
  PatternSubscription& subscription = session.patterns()[index & ~kPatternBit];
  subscription.pace_ms = options.pace_ms;
  TopicResult result{pattern.text(), {}, {}};
  resume_topics(session, pattern, options, result);
  if (options.snapshot) {
    subscription.phase = Phase::kBehind;
    subscription.caught_up_to = 0;
    sender_.owe(session, index, 0);
  }
  return result;
}

void Subscriptions::resume_topics(Session& session, const Pattern& pattern, const SubscribeOptions& options,
                                  TopicResult& result) {
  std::vector<TopicState*> topics;
  if (options.since != nullptr) {
    result.recovered = options.same_epoch;
    if (options.same_epoch) result.missed = 0;
    for (const auto& [name, seq] : *options.since) {
      TopicState* state = pattern.matches(name) ? parts_.topics.expect(name) : nullptr;
      if (state != nullptr) topics.push_back(state);
    }
  }
  std::size_t place = 0;
  for (TopicState* state = nullptr; options.last > 0 && (state = parts_.topics.next_after(0, place));) {
    if (state->is_event() && pattern.matches(state->topic->name)) topics.push_back(state);
  }
  for (TopicState* state : topics) {
    if (session.find(state->topic->id) != nullptr) continue;
    Subscription child;
    child.topic_id = state->topic->id;
    child.pace_ms = options.pace_ms;
    child.child = true;
    const SubscriptionIndex index = TopicTable::add_subscription(session, *state, child);
    begin(session, index, options, *state, result);
  }
}

TopicResult Subscriptions::unsubscribe(Session& session, std::string_view text) {
  if (const std::optional<SubscriptionIndex> index = find(session, text)) {
    if (is_pattern_index(*index)) {
      remove_pattern(session, *index);
    } else {
      remove_topic(session, *index);
    }
    return {std::string(text), {}, {}};
  }
  const Result<Pattern> pattern = Pattern::parse(text);
  if (!pattern) return {std::string(text), {}, pattern.error()};
  return {std::string(text),
          {},
          Error{ErrorCode::kNotSubscribed, "topics: not subscribed to " + std::string(text), ""}};
}

std::optional<SubscriptionIndex> Subscriptions::find(Session& session, std::string_view text) const {
  SubscriptionIndex index = 0;
  if (is_pattern(text)) {
    const PatternState* state = parts_.topics.find_pattern(text);
    if (state == nullptr || session.find_pattern(state->id, &index) == nullptr) return std::nullopt;
    return index;
  }
  const Topic* topic = parts_.topics.find_topic(text);
  const Subscription* known = topic == nullptr ? nullptr : session.find(topic->id, &index);
  if (known == nullptr || !known->asked) return std::nullopt;
  return index;
}

void Subscriptions::remove_topic(Session& session, SubscriptionIndex index) {
  Subscription& subscription = session.exact()[index];
  TopicState& state = parts_.topics.state(subscription.topic_id);
  parts_.counters.subscriptions.sub(1);
  const PatternSubscription* cover = covering_pattern(session, state);
  const bool behind =
      subscription.phase == Phase::kBehind || (cover != nullptr && cover->phase == Phase::kBehind);
  if (cover != nullptr && state.last && behind) {
    // The pattern goes on where this one is once both have caught up.
    session.make_child(subscription);
  } else {
    TopicTable::remove_subscription(session, state, index);
  }
  parts_.topics.unwant(state);
}

void Subscriptions::remove_pattern(Session& session, SubscriptionIndex index) {
  const PatternSubscription gone = session.patterns()[index & ~kPatternBit];
  PatternState& state = parts_.topics.pattern(gone.pattern_id);
  std::erase_if(state.subscribers,
                [&](const SubscriberRef& ref) { return ref.slot == session.slot && ref.index == index; });
  session.remove(index);
  parts_.counters.subscriptions.sub(1);
  drop_children(session);
  if (session.pattern_count() > 0) hand_over(session, gone);
  parts_.topics.unwant_pattern(state);
}

// Those of no pattern any more.
void Subscriptions::drop_children(Session& session) {
  for (std::size_t i = 0; i < session.exact().size(); ++i) {
    const Subscription& child = session.exact()[i];
    if (child.phase == Phase::kUnused || !child.child) continue;
    TopicState& state = parts_.topics.state(child.topic_id);
    if (covering_pattern(session, state) != nullptr) continue;
    TopicTable::remove_subscription(session, state, static_cast<SubscriptionIndex>(i));
  }
}

// Other patterns of the session go on with topics that `gone` decided about. What it owed, and what an heir
// that is behind would take for not shown yet, gets a subscription of its own until all have caught up.
void Subscriptions::hand_over(Session& session, const PatternSubscription& gone) {
  const PatternState* ended = &parts_.topics.pattern(gone.pattern_id);
  constexpr std::uint64_t kNothing = UINT64_MAX;
  std::uint64_t from = gone.phase == Phase::kBehind ? gone.caught_up_to : kNothing;
  for (const PatternSubscription& heir : session.patterns()) {
    if (heir.phase == Phase::kBehind) from = std::min(from, heir.caught_up_to);
  }
  if (from == kNothing) return;
  std::size_t place = 0;
  while (TopicState* state = parts_.topics.next_after(from, place)) {
    if (std::ranges::find(state->patterns, ended) == state->patterns.end()) continue;
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
    if (owed) sender_.owe(session, index, 0);
  }
}

bool Subscriptions::owes(const PatternSubscription& pattern, const TopicState& state) {
  return pattern.phase == Phase::kBehind && state.last && state.apply_no > pattern.caught_up_to;
}

// The one that decides: the earliest of those that match.
PatternSubscription* Subscriptions::covering_pattern(Session& session, const TopicState& state) const {
  PatternSubscription* first = nullptr;
  for (const PatternState* pattern : state.patterns) {
    PatternSubscription* found = session.find_pattern(pattern->id);
    if (found != nullptr && (first == nullptr || found->order < first->order)) first = found;
  }
  return first;
}

void Subscriptions::forget(Session& session) {
  for (std::size_t i = 0; i < session.patterns().size(); ++i) {
    if (session.patterns()[i].phase == Phase::kUnused) continue;
    remove_pattern(session, static_cast<SubscriptionIndex>(i) | kPatternBit);
  }
  for (std::size_t i = 0; i < session.exact().size(); ++i) {
    if (session.exact()[i].phase == Phase::kUnused) continue;
    remove_topic(session, static_cast<SubscriptionIndex>(i));
  }
  session.behind().clear();
}

}  // namespace tickwire
