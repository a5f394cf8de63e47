// How subscriptions end: by a command, and with their session.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/work.h"
#include "fanout/subscriptions.h"

namespace tickwire {

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

void Subscriptions::remove_topic(Session& session, SubscriptionIndex index) {
  Subscription& subscription = session.exact()[index];
  TopicState& state = parts_.topics.state(subscription.topic_id);
  parts_.counters.subscriptions.sub(1);
  note_end(session, state.topic->name, subscription.pace_ms);
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
  note_end(session, parts_.topics.pattern(pattern.pattern_id).pattern.text(), pattern.pace_ms);
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

void Subscriptions::note_end(Session& session, std::string_view text, std::uint16_t pace_ms) const {
  if (pace_ms == 0) return;
  if (session.sent_lately == nullptr) session.sent_lately = std::make_unique<SentLately>();
  const std::int64_t now = parts_.clock.steady_us();
  session.sent_lately->note(text, now + std::int64_t{pace_ms} * 1'000, now);
}

void Subscriptions::unwant_pattern(PatternState& state) {
  if (!parts_.topics.unwant_pattern(state)) return;
  parts_.jobs.start([this, &state](const Budget& budget) { return parts_.topics.leave(state, budget); });
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
