#include "fanout/subscriptions.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/work.h"

namespace tickwire {
namespace {

// Beyond so many subscriptions to topics nobody looks whether a pattern matches one; it is taken for granted.
constexpr std::size_t kExactLookedAtMax = 1'000;
constexpr std::size_t kExactAStep = 8;

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

TopicResult Subscriptions::subscribe(Session& session, std::string_view text, const FilterPtr& filter,
                                     const SubscribeOptions& options) {
  const Result<Pattern> pattern = Pattern::parse(text);
  if (!pattern) return {std::string(text), {}, pattern.error()};
  if (!is_pattern(text)) return subscribe_topic(session, *pattern, options);
  const std::optional<SubscriptionIndex> before = find(session, text);
  if (Status room = room_for(session, *pattern, filter, before.has_value()); !room) {
    // It may see this part, and no longer that one.
    if (before) remove_pattern(session, *before);
    return {std::string(text), {}, room.error()};
  }
  return subscribe_pattern(session, *pattern, filter, options);
}

Status Subscriptions::room_for(Session& session, const Pattern& pattern, const FilterPtr& filter,
                               bool again) const {
  const SessionConfig& limits = parts_.config.session;
  if (!again && session.pattern_count() >= limits.patterns_max)
    return too_many(session.pattern_count(), "patterns", limits.patterns_max, Limit::kPatternsPerSession);
  if (!again && session.subscription_count() >= limits.subscriptions_max)
    return too_many_subscriptions(session, limits.subscriptions_max);
  if (parts_.topics.find_pattern(pattern.text(), filter) != nullptr) return ok_status();
  if (Status room = parts_.topics.room_for_part(pattern.text()); !room) return room;
  return parts_.hub.room_for_pattern();
}

bool Subscriptions::waits(Session& session, const Pattern& pattern, const SubscribeOptions& options) const {
  if (options.granted_pace_ms == 0) return false;
  if (session.sent_lately != nullptr && session.sent_lately->has(pattern, parts_.clock.steady_us()))
    return true;
  // What is held belongs to this command.
  for (const PatternSubscription& other : session.patterns()) {
    if (other.phase == Phase::kUnused || other.held) continue;
    if (parts_.topics.pattern(other.pattern_id).pattern.overlaps(pattern)) return true;
  }
  if (!is_pattern(pattern.text())) {
    const Topic* const topic = parts_.topics.find_topic(pattern.text());
    const Subscription* const other = topic == nullptr ? nullptr : session.find(topic->id);
    return other != nullptr && !other->held;
  }
  if (session.exact().size() > kExactLookedAtMax) return true;
  Work::count(session.exact().size() / kExactAStep);
  return std::ranges::any_of(session.exact(), [&](const Subscription& other) {
    return other.phase != Phase::kUnused && !other.held &&
           pattern.matches(parts_.topics.state(other.topic_id).topic->name);
  });
}

TopicResult Subscriptions::subscribe_topic(Session& session, const Pattern& topic,
                                           const SubscribeOptions& options) {
  const std::string& text = topic.text();
  const bool is_early = waits(session, topic, options);
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
  session.exact()[index].waits = is_early;
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

TopicResult Subscriptions::subscribe_alone(Session& session, std::string_view text, const FilterPtr& filter,
                                           const SubscribeOptions& options) {
  TopicResult result = subscribe(session, text, filter, options);
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
    if (std::exchange(pattern.held, false))
      parts_.dues.owe(session, index, pattern.waits ? pattern.pace_ms : 0);
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
  const bool at_once = begins && !subscription.waits;
  if (begins || !same) return parts_.dues.owe(session, index, at_once ? 0 : subscription.pace_ms);
  subscription.phase = Phase::kLive;
  if (subscription.child) overlap_.drop_child_if_over(session, index);
}

void Subscriptions::resume(Subscription& subscription, std::uint64_t since, const SubscribeOptions& options,
                           const TopicState& state, TopicResult& result) {
  const Standing newest = state.topic->standing();  // another shard may have shown what waits in this inbox
  const bool known = options.knows(since, newest);
  // Nobody gets the single updates of a value topic that a rate which it may not exceed leaves out.
  const bool exceeds = options.granted_pace_ms > 0 && !state.is_event() && since < newest.seq;
  const bool recovered = known && !exceeds && newest.first_kept <= since + 1;
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
                                             const FilterPtr& filter, const SubscribeOptions& options) {
  const std::optional<SubscriptionIndex> before = find(session, pattern.text());
  const bool is_early = waits(session, pattern, options);
  PatternState& state = parts_.topics.want_pattern(pattern, filter);
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
  subscription.waits = is_early;
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
  // After the new one, which so goes on with what the old one owes of the topics that both have.
  if (!known && before) remove_pattern(session, *before);
  TopicResult result{pattern.text(), {}, {}};
  result.partial = filter != nullptr;
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
  child.waits = cover->waits;
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
    child.waits = cover->waits;
    child.fresh = cover->events_shown_until && state.apply_no > *cover->events_shown_until;
    child.phase = child.fresh ? Phase::kBehind : Phase::kLive;
    child.child = true;
    index = TopicTable::add_subscription(session, state, child);
  }
  begin(session, index, options, state, result);
}

std::optional<SubscriptionIndex> Subscriptions::find(Session& session, std::string_view text) const {
  SubscriptionIndex index = 0;
  if (is_pattern(text)) {
    for (const PatternSubscription& pattern : session.patterns()) {
      if (pattern.phase != Phase::kUnused && !pattern.ending() &&
          parts_.topics.pattern(pattern.pattern_id).pattern.text() == text)
        return index | kPatternBit;
      ++index;
    }
    return std::nullopt;
  }
  const Topic* topic = parts_.topics.find_topic(text);
  const Subscription* known = topic == nullptr ? nullptr : session.find(topic->id, &index);
  if (known == nullptr || !known->asked) return std::nullopt;
  return index;
}

FilterPtr Subscriptions::filter_of(Session& session, std::string_view text) const {
  const std::optional<SubscriptionIndex> index = find(session, text);
  if (!index || !is_pattern_index(*index)) return nullptr;
  return parts_.topics.pattern(session.patterns()[*index & ~kPatternBit].pattern_id).filter;
}

bool Subscriptions::has_other_part(Session& session, std::string_view text, const FilterPtr& filter) const {
  return is_pattern(text) && find(session, text) && !same(filter_of(session, text), filter);
}

bool Subscriptions::is_covered(Session& session, std::string_view topic) const {
  const Topic* known = parts_.topics.find_topic(topic);
  return known != nullptr && overlap_.covering_pattern(session, parts_.topics.state(known->id)) != nullptr;
}

}  // namespace tickwire
