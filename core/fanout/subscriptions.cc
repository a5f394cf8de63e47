#include "fanout/subscriptions.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/work.h"

namespace tickwire {
namespace {

Error too_many(std::size_t count, std::string_view of_what, std::size_t most, Limit limit) {
  return {ErrorCode::kTooMany,
          "topics: this session has " + std::to_string(count) + " " + std::string(of_what) + ", at most " +
              std::to_string(most) + " are allowed",
          "", limit};
}

Error too_many_subscriptions(const Session& session, std::size_t limit) {
  return too_many(session.subscription_count(), "subscriptions", limit, Limit::kSubscriptions);
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
    return {std::string(text),
            {},
            too_many(session.pattern_count(), "patterns", limits.patterns_max, Limit::kPatternsPerSession)};
  }
  if (!again && session.subscription_count() >= limits.subscriptions_max) {
    return {std::string(text), {}, too_many_subscriptions(session, limits.subscriptions_max)};
  }
  if (known == nullptr) {
    if (Status room = parts_.hub.room_for_pattern(); !room) return {std::string(text), {}, room.error()};
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
    added.phase = Phase::kLive;
    index = TopicTable::add_subscription(session, state, added);
    parts_.counters.subscriptions.add(1);
  }
  session.exact()[index].pace_ms = options.pace_ms;
  // Takes over from a pattern, and so what that owes.
  const PatternSubscription* cover = known == nullptr ? overlap_.covering_pattern(session, state) : nullptr;
  SubscribeOptions effective = options;
  if (cover != nullptr && Overlap::owes(*cover, state)) {
    effective.snapshot = true;
    session.exact()[index].phase = Phase::kBehind;
    session.exact()[index].fresh = true;
  }
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
  session.hold(index);
  // What it owes it goes on owing where only the pace is new.
  if (subscription.phase == Phase::kBehind && !options.snapshot && since == nullptr && options.last == 0)
    return;
  if (subscription.phase == Phase::kBehind && subscription.seq > state.seq() && since == nullptr) {
    // Resumed ahead of this shard: an image older than what the client has would take it back.
    subscription.fresh = options.snapshot || !subscription.resume;
    subscription.resume = !subscription.fresh;
    return;
  }
  const bool behind = subscription.phase == Phase::kBehind;
  const bool owes_snapshot = behind && subscription.fresh;
  const std::uint64_t shown_until = behind && !subscription.fresh ? subscription.seq : state.seq();
  subscription.seq = state.seq();
  subscription.status = state.last ? state.last->status() : TopicStatus::kLive;
  subscription.trail.clear();
  subscription.resume = false;
  subscription.fresh = options.snapshot && state.last;
  if (since != nullptr) resume(subscription, *since, options, state, result);
  if (options.last > 0 && subscription.fresh && state.is_event() &&
      begin_with_last(subscription, options.last, state, shown_until)) {
    // A snapshot that is owed says what nobody else would, so it goes before the last messages.
    subscription.fresh = owes_snapshot;
  }
  subscription.phase = Phase::kBehind;
}

bool Subscriptions::begin_with_last(Subscription& subscription, std::uint64_t last, const TopicState& state,
                                    std::uint64_t shown_until) {
  const std::uint64_t kept_from = state.topic->first_kept();
  if (kept_from > state.seq()) return false;
  const std::uint64_t asked_from = state.seq() + 1 - std::min(last, state.seq());
  subscription.seq = std::min(std::max(asked_from, kept_from) - 1, shown_until);
  subscription.resume = true;
  subscription.status_told = false;
  return true;
}

bool Subscriptions::release(Session& session, std::size_t& place, const Budget& budget) {
  for (; place < session.held().size(); ++place) {
    if (budget.spent()) return false;
    Work::count();
    const SubscriptionIndex index = session.held()[place];
    release(session, index);
  }
  std::vector<SubscriptionIndex>().swap(session.held());
  return true;
}

TopicResult Subscriptions::subscribe_alone(Session& session, std::string_view text,
                                           const SubscribeOptions& options) {
  TopicResult result = subscribe(session, text, options);
  if (result.error) return result;
  const SubscriptionIndex index = find(session, text).value();
  if (!is_pattern_index(index)) {
    release(session, index);
    return result;
  }
  const std::uint32_t id = session.patterns()[index & ~kPatternBit].pattern_id;
  parts_.jobs.start([this, ref = parts_.sessions.ref(session), id, index, options](const Budget& budget) {
    Session* holder = parts_.sessions.find(ref);
    if (holder == nullptr || holder->find_pattern(id) == nullptr) return true;
    PatternState& state = parts_.topics.pattern(id);
    if (!parts_.topics.join(state, budget)) return false;
    joined(*holder, state, options);
    release(*holder, index);
    parts_.dues.send_more(*holder);
    return true;
  });
  return result;
}

void Subscriptions::release(Session& session, SubscriptionIndex index) {
  if (is_pattern_index(index)) {
    PatternSubscription& pattern = session.patterns()[index & ~kPatternBit];
    if (std::exchange(pattern.held, false)) parts_.dues.owe(session, index, 0);
    return;
  }
  Subscription& subscription = session.exact()[index];
  if (!subscription.held) return;
  subscription.held = false;
  if (subscription.phase != Phase::kBehind) return;
  const TopicState& state = parts_.topics.state(subscription.topic_id);
  const bool begins = subscription.fresh || subscription.resume;
  const bool same =
      subscription.seq == state.seq() && (!state.last || knows_status(subscription, state.last->status()));
  if (begins || !same) return parts_.dues.owe(session, index, begins ? 0 : subscription.pace_ms);
  subscription.phase = Phase::kLive;
  if (subscription.child) overlap_.drop_child_if_over(session, index);
}

void Subscriptions::resume(Subscription& subscription, std::uint64_t since, const SubscribeOptions& options,
                           const TopicState& state, TopicResult& result) {
  const Standing newest = state.topic->standing();  // another shard may have shown what waits in this inbox
  const bool known = options.knows(since, newest);
  const bool recovered = known && newest.first_kept <= since + 1;
  result.recovered = recovered && result.recovered.value_or(true);
  const std::uint64_t stands_at = std::max(state.seq(), since);
  if (known) result.missed = result.missed.value_or(0) + stands_at - since;
  if (known && result.seq) result.seq = stands_at;  // a pattern has none
  // A client can be told exactly which events are gone; a value topic begins anew, also where the client
  // asked for no snapshot: it holds a state that is not true any more.
  subscription.resume = recovered || (known && state.is_event());
  subscription.fresh = !subscription.resume && state.last;
  subscription.status_told = false;
  // Where the client is ahead of this shard, what it is sent waits until the shard is there, too.
  if (known && !subscription.resume && since > state.seq()) subscription.fresh = true;
  if (subscription.resume || (known && since > state.seq())) subscription.seq = since;
}

TopicResult Subscriptions::subscribe_pattern(Session& session, const Pattern& pattern,
                                             const SubscribeOptions& options) {
  PatternState& state = parts_.topics.want_pattern(pattern);
  SubscriptionIndex index = 0;
  const bool known = session.find_pattern(state.id, &index) != nullptr;
  if (!known) {
    PatternSubscription added;
    added.pattern_id = state.id;
    added.phase = Phase::kBehind;
    added.caught_up_to = parts_.topics.last_apply_no();
    index = session.add_pattern(std::move(added));
    state.subscribers.push_back({session.slot, index});
    parts_.counters.subscriptions.add(1);
  }
  PatternSubscription& subscription = session.patterns()[index & ~kPatternBit];
  subscription.pace_ms = options.pace_ms;
  subscription.round.reset();
  if (options.snapshot) {
    const std::uint64_t shown =
        subscription.phase == Phase::kBehind
            ? std::max(subscription.caught_up_to, subscription.events_shown_until.value_or(0))
            : parts_.topics.last_apply_no();
    subscription.events_shown_until.reset();
    if (known && options.last > 0) subscription.events_shown_until = shown;
    subscription.phase = Phase::kBehind;
    subscription.caught_up_to = 0;
    subscription.unshown_until = 0;
  }
  if (!known || options.snapshot) {
    session.hold(index);
  } else if (subscription.phase == Phase::kBehind && !subscription.held) {
    parts_.dues.owe(session, index, options.pace_ms);  // it may be due much later at its old pace
  }
  TopicResult result{pattern.text(), {}, {}};
  if (options.since != nullptr) result.recovered = options.knows_epoch();
  if (options.since != nullptr && options.knows_epoch()) result.missed = 0;
  return result;
}

void Subscriptions::joined(Session& session, const PatternState& state,
                           const SubscribeOptions& options) const {
  PatternSubscription* pattern = session.find_pattern(state.id);
  // Topics that it has only just joined are not news.
  if (pattern == nullptr || !pattern->held || options.snapshot) return;
  pattern->caught_up_to = pattern->unshown_until = parts_.topics.last_apply_no();
}

void Subscriptions::renew_child(Session& session, SubscriptionIndex index, const SubscribeOptions& options,
                                const std::vector<std::uint32_t>& patterns) {
  if (index >= session.exact().size()) return;
  Subscription& child = session.exact()[index];
  if (child.phase == Phase::kUnused || !child.child) return;  // it ended since this command began
  TopicState& state = parts_.topics.state(child.topic_id);
  const PatternSubscription* cover = overlap_.covering_pattern(session, state);
  if (cover == nullptr || !std::ranges::binary_search(patterns, cover->pattern_id)) return;
  child.pace_ms = options.pace_ms;
  if (options.last > 0 && state.is_event()) return session.hold(index);  // begins with the last messages
  SubscribeOptions now = options;
  now.since = nullptr;
  TopicResult unused;
  begin(session, index, now, state, unused);
}

void Subscriptions::resume_topic(Session& session, TopicState& state, const SubscribeOptions& options,
                                 TopicResult& result) {
  SubscriptionIndex index = 0;
  const Subscription* known = session.find(state.topic->id, &index);
  // One that came to be since this command began is of this command.
  if (known != nullptr && !(known->child && known->held)) return;
  const PatternSubscription* cover = overlap_.covering_pattern(session, state);
  if (cover == nullptr) return;
  // What an older pattern shows already comes again only for those who say that they miss it.
  const bool missed = options.since != nullptr && options.since->contains(state.topic->name);
  if (!missed && !cover->held && cover->unshown_until < state.apply_no) return;
  if (known == nullptr) {
    Subscription child;
    child.topic_id = state.topic->id;
    child.pace_ms = options.pace_ms;
    child.fresh = cover->events_shown_until && state.apply_no > *cover->events_shown_until;
    child.phase = child.fresh ? Phase::kBehind : Phase::kLive;
    child.child = true;
    index = TopicTable::add_subscription(session, state, child);
  }
  begin(session, index, options, state, result);
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
          Error{ErrorCode::kNotSubscribed, "topics: not subscribed to " + shown_topic(text), ""}};
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

bool Subscriptions::is_covered(Session& session, std::string_view topic) const {
  const Topic* known = parts_.topics.find_topic(topic);
  return known != nullptr && overlap_.covering_pattern(session, parts_.topics.state(known->id)) != nullptr;
}

void Subscriptions::remove_topic(Session& session, SubscriptionIndex index) {
  Subscription& subscription = session.exact()[index];
  TopicState& state = parts_.topics.state(subscription.topic_id);
  parts_.counters.subscriptions.sub(1);
  const PatternSubscription* cover = overlap_.covering_pattern(session, state);
  const bool behind =
      subscription.phase == Phase::kBehind || (cover != nullptr && cover->phase == Phase::kBehind);
  if (cover != nullptr && state.last && behind) {
    // The pattern goes on where this one is once both have caught up.
    session.make_child(index);
  } else {
    TopicTable::remove_subscription(session, state, index);
  }
  parts_.topics.unwant(state);
}

void Subscriptions::remove_pattern(Session& session, SubscriptionIndex index) {
  PatternSubscription& pattern = session.patterns()[index & ~kPatternBit];
  if (pattern.phase == Phase::kLive) pattern.caught_up_to = parts_.topics.last_apply_no();
  pattern.phase = Phase::kBehind;
  pattern.held = false;
  pattern.round.reset();
  session.begin_end(index);
  // Not until nothing more is to be tidied: other patterns that fall behind and are live again see to it that
  // there always is.
  const std::uint64_t tidied = overlap_.tidy(session);
  using Place = std::optional<std::uint64_t>;
  parts_.jobs.start([this, index, tidied, ref = parts_.sessions.ref(session),
                     place = Place()](const Budget& budget) mutable {
    Session* const owner = parts_.sessions.find(ref);
    if (owner == nullptr) return true;
    if (owner->tidies_done < tidied) return false;
    const PatternSubscription& gone = owner->patterns()[index & ~kPatternBit];
    if (owner->pattern_count() > 0 && !overlap_.hand_over(*owner, gone, place, budget)) return false;
    PatternState& state = parts_.topics.pattern(gone.pattern_id);
    drop_subscriber(state, *owner, index);
    overlap_.tidy(*owner);
    unwant_pattern(state);
    return true;
  });
}

void Subscriptions::unwant_pattern(PatternState& state) {
  if (!parts_.topics.unwant_pattern(state)) return;
  parts_.jobs.start([this, &state, place = TopicId{0}](const Budget& budget) mutable {
    return parts_.topics.leave(state, place, budget);
  });
}

bool Subscriptions::forget(Session& session, const Budget& budget) {
  while (!budget.spent()) {
    if (const std::optional<SubscriptionIndex> pattern = session.any_pattern()) {
      PatternState& state = parts_.topics.pattern(session.patterns()[*pattern & ~kPatternBit].pattern_id);
      drop_subscriber(state, session, *pattern);
      unwant_pattern(state);
    } else if (const std::optional<SubscriptionIndex> topic = session.any_exact()) {
      const bool asked = session.exact()[*topic].asked;
      TopicState& state = parts_.topics.state(session.exact()[*topic].topic_id);
      TopicTable::remove_subscription(session, state, *topic);
      if (!asked) parts_.topics.drop_if_unwanted(state);
      if (!asked) continue;
      parts_.counters.subscriptions.sub(1);
      parts_.topics.unwant(state);
    } else {
      return true;
    }
  }
  return false;
}

void Subscriptions::drop_subscriber(PatternState& state, Session& session, SubscriptionIndex index) {
  std::erase_if(state.subscribers,
                [&](const SubscriberRef& ref) { return ref.slot == session.slot && ref.index == index; });
  Work::count(1 + state.subscribers.size() / 64);
  session.remove(index);
  parts_.counters.subscriptions.sub(1);
}

}  // namespace tickwire
