#include "fanout/subscriptions.h"

#include <algorithm>
#include <string>

namespace tickwire {
namespace {

Error too_many(const Session& session, std::size_t limit) {
  return {ErrorCode::kTooMany,
          "topics: this session has " + std::to_string(session.subscription_count()) +
              " subscriptions, at most " + std::to_string(limit) + " are allowed",
          ""};
}

}  // namespace

TopicResult Subscriptions::subscribe(Session& session, std::string_view text,
                                     const SubscribeOptions& options) {
  const Result<Pattern> pattern = Pattern::parse(text);
  if (!pattern) return {std::string(text), {}, pattern.error()};
  if (!is_pattern(text)) return subscribe_topic(session, text, options);
  const PatternState* known = parts_.topics.find_pattern(text);
  const bool again = known != nullptr && session.find_pattern(known->id) != nullptr;
  if (!again && session.subscription_count() >= parts_.config.session.subscriptions_max) {
    return {std::string(text), {}, too_many(session, parts_.config.session.subscriptions_max)};
  }
  subscribe_pattern(session, *pattern, options);
  return {std::string(text), {}, {}};
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
    return {std::string(text), {}, too_many(session, parts_.config.session.subscriptions_max)};
  } else if (known != nullptr) {
    session.adopt_child(*known);
    parts_.counters.subscriptions.add(1);
  } else {
    Subscription added;
    added.topic_id = state.topic->id;
    added.asked = true;
    index = session.add(added);
    TopicTable::add_subscriber(state, {session.slot, index});
    parts_.counters.subscriptions.add(1);
  }
  session.exact()[index].pace_ms = options.pace_ms;
  begin(session, index, options.snapshot, state);
  return result;
}

void Subscriptions::begin(Session& session, SubscriptionIndex index, bool snapshot, const TopicState& state) {
  Subscription& subscription = session.exact()[index];
  subscription.seq = state.seq();
  subscription.status = state.last ? state.last->status() : TopicStatus::kLive;
  subscription.trail.clear();
  if (!snapshot || !state.last) {
    subscription.fresh = false;
    subscription.phase = Phase::kLive;
    return;
  }
  subscription.fresh = true;
  subscription.phase = Phase::kBehind;
  sender_.owe(session, index, 0);
}

void Subscriptions::subscribe_pattern(Session& session, const Pattern& pattern,
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
  subscription.phase = options.snapshot ? Phase::kBehind : Phase::kLive;
  subscription.caught_up_to = 0;
  if (options.snapshot) sender_.owe(session, index, 0);
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
    TopicTable::remove_subscriber(state, {session.slot, index});
    session.remove(index);
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
  hand_over(session, gone);
  parts_.topics.unwant_pattern(state);
}

// Another pattern of the session may go on with the topics of one that ended: then it owes what that one
// owed.
void Subscriptions::hand_over(Session& session, const PatternSubscription& gone) {
  for (std::size_t i = 0; i < session.exact().size(); ++i) {
    const Subscription& child = session.exact()[i];
    if (child.phase == Phase::kUnused || !child.child) continue;
    TopicState& state = parts_.topics.state(child.topic_id);
    if (covering_pattern(session, state) != nullptr) continue;
    TopicTable::remove_subscriber(state, {session.slot, static_cast<SubscriptionIndex>(i)});
    session.remove(static_cast<SubscriptionIndex>(i));
  }
  if (gone.phase != Phase::kBehind) return;
  for (std::size_t i = 0; i < session.patterns().size(); ++i) {
    PatternSubscription& heir = session.patterns()[i];
    if (heir.phase == Phase::kUnused) continue;
    if (heir.phase == Phase::kLive) {
      heir.phase = Phase::kBehind;
      heir.caught_up_to = gone.caught_up_to;
      sender_.owe(session, static_cast<SubscriptionIndex>(i) | kPatternBit, heir.pace_ms);
    } else {
      heir.caught_up_to = std::min(heir.caught_up_to, gone.caught_up_to);
    }
  }
}

PatternSubscription* Subscriptions::covering_pattern(Session& session, const TopicState& state) const {
  for (const PatternState* pattern : state.patterns) {
    if (PatternSubscription* found = session.find_pattern(pattern->id)) return found;
  }
  return nullptr;
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
