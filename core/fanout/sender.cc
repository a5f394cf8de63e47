#include "fanout/sender.h"

#include <algorithm>
#include <cassert>

#include "protocol/encode.h"

namespace tickwire {
void Sender::send(Session& session, std::span<const LiveItem> items) {
  WriteBuffer& write = encoder_.buffer();
  write.clear();
  messages_ = 0;
  if (session.writable() && session.has_outbox()) write.append(session.take_outbox());
  for (const LiveItem& item : items) deliver(session, item);
  const bool all = !session.writable() || catch_up(session);
  if (!write.empty()) {
    count(write.size());
    session.messages += messages_;
    session.last_write_us = parts_.clock.steady_us();
    session.write(write.view());
  }
  if (!all && session.writable()) parts_.resume.push_back(parts_.sessions.ref(session));
  const bool behind = session.blocked() || !session.behind().empty();
  if (!behind) {
    session.behind_since_us = 0;
  } else if (session.behind_since_us == 0) {
    session.behind_since_us = parts_.clock.steady_us();
  }
}

void Sender::count(std::size_t bytes) {
  parts_.counters.messages.add(messages_);
  parts_.counters.bytes.add(bytes);
  parts_.counters.writes.add(1);
  parts_.counters.linked.set(encoder_.linked);
  parts_.counters.standalone.set(encoder_.standalone);
}

void Sender::owe(Session& session, SubscriptionIndex index, std::uint16_t pace_ms) {
  if (pace_ms == 0) {
    session.owe(index);
  } else {
    parts_.paces.owe(parts_.clock.steady_us(), {parts_.sessions.ref(session), index, pace_ms});
  }
}

// --- live -----------------------------------------------------------------------------------------------

void Sender::deliver(Session& session, const LiveItem& item) {
  if (is_pattern_index(item.index)) {
    deliver_pattern(session, item);
  } else {
    deliver_exact(session, item.index, *item.applied);
  }
}

void Sender::deliver_exact(Session& session, SubscriptionIndex index, const Applied& applied) {
  Subscription& subscription = session.exact()[index];
  const Update& update = *applied.update;
  if (subscription.phase != Phase::kLive) {
    // One that resumed ahead of this shard: now the shard is where the client is.
    const bool arrives = applied.seq_before < subscription.seq && subscription.seq <= update.seq();
    if (subscription.resume && arrives) session.owe(index);
    return;
  }
  if (session.writable() && subscription.pace_ms == 0 && !applied.skips) {
    assert(subscription.seq == applied.seq_before);
    if (encoder_.update(session, subscription, applied)) {
      ++messages_;
      subscription.seq = update.seq();
      subscription.status = update.status();
      return;
    }
  }
  subscription.phase = Phase::kBehind;
  if (subscription.pace_ms == 0) {
    ++session.conflated;
    parts_.counters.conflated.add(1);
  }
  owe(session, index, subscription.pace_ms);
}

void Sender::deliver_pattern(Session& session, const LiveItem& item) {
  const Applied& applied = *item.applied;
  PatternSubscription& pattern = session.patterns()[item.index & ~kPatternBit];
  if (pattern.phase == Phase::kUnused) return;
  if (session.overlapping() && overridden(session, pattern, *applied.state)) return;
  if (pattern.phase == Phase::kLive) {
    if (session.writable() && pattern.pace_ms == 0 && !applied.skips &&
        encoder_.pattern_update(session, pattern, applied, item.step)) {
      ++messages_;
      return;
    }
    pattern.phase = Phase::kBehind;
    pattern.caught_up_to = applied.apply_no - 1;
    if (pattern.pace_ms == 0) {
      ++session.conflated;
      parts_.counters.conflated.add(1);
    }
    owe(session, item.index, pattern.pace_ms);
  }
  // An image makes up for all updates of a value topic. Events are owed one by one, from the first that the
  // client did not get, so such a topic gets a subscription of its own until it has caught up. (A topic that
  // a new pattern has not shown yet, previous_no > caught_up_to, still begins with its snapshot.)
  if (applied.state->is_event() && applied.previous_no <= pattern.caught_up_to) {
    add_child(session, pattern.pace_ms, applied);
  }
}

bool Sender::overridden(Session& session, const PatternSubscription& pattern, const TopicState& state) const {
  if (session.find(state.topic->id) != nullptr) return true;
  return std::any_of(state.patterns.begin(), state.patterns.end(), [&](const PatternState* other) {
    const PatternSubscription* rival = session.find_pattern(other->id);
    return rival != nullptr && rival->order < pattern.order;
  });
}

void Sender::add_child(Session& session, std::uint16_t pace_ms, const Applied& applied) {
  Subscription child;
  child.topic_id = applied.state->topic->id;
  child.seq = applied.seq_before;
  child.pace_ms = pace_ms;
  child.phase = Phase::kBehind;
  child.fresh = false;
  child.child = true;
  const SubscriptionIndex index = TopicTable::add_subscription(session, *applied.state, child);
  owe(session, index, pace_ms);
}

// --- behind ---------------------------------------------------------------------------------------------

bool Sender::catch_up(Session& session) {
  std::vector<SubscriptionIndex>& behind = session.behind();
  std::size_t done = 0;
  bool all = true;
  for (; done < behind.size() && all; ++done) {
    const SubscriptionIndex index = behind[done];
    all = is_pattern_index(index) ? catch_up_pattern(session, session.patterns()[index & ~kPatternBit])
                                  : catch_up_exact(session, index);
  }
  if (!all) --done;
  behind.erase(behind.begin(), behind.begin() + static_cast<std::ptrdiff_t>(done));
  if (behind.empty() && behind.capacity() > 16) behind.shrink_to_fit();
  return all;
}

bool Sender::catch_up_exact(Session& session, SubscriptionIndex index) {
  Subscription& subscription = session.exact()[index];
  if (subscription.phase != Phase::kBehind) return true;
  TopicState& state = parts_.topics.state(subscription.topic_id);
  if (subscription.seq > state.seq()) return true;  // not before the shard has come as far as the client is
  if (state.last) {
    const bool replays = !subscription.fresh && (state.is_event() || subscription.resume);
    std::vector<UpdatePtr> missed;
    if (replays) missed = state.topic->ring_between(subscription.seq + 1, state.seq());
    if (replays && (state.is_event() || missed.size() == state.seq() - subscription.seq)) {
      if (!replay(session, subscription, state, missed)) return false;
    } else {
      if (!encoder_.snapshot(session, subscription, state)) return false;
      ++messages_;
      subscription.seq = state.seq();
    }
    subscription.fresh = false;
    subscription.resume = false;
    subscription.status = state.last->status();
  }
  subscription.phase = Phase::kLive;
  if (subscription.child) drop_child_if_done(session, index);
  return true;
}

bool Sender::replay(Session& session, Subscription& subscription, const TopicState& state,
                    std::span<const UpdatePtr> missed) {
  const std::uint64_t first = missed.empty() ? state.seq() + 1 : missed.front()->seq();
  if (first > subscription.seq + 1) {
    if (!encoder_.gap(session, encode_gap(state.topic->name, subscription.seq + 1, first - 1))) return false;
    ++messages_;
    ++session.gaps;
    parts_.counters.gaps.add(1);
    subscription.seq = first - 1;
    subscription.trail.clear();
  }
  for (const UpdatePtr& update : missed) {
    if (!encoder_.kept_update(session, subscription, *update)) return false;
    ++messages_;
    subscription.seq = update->seq();
    // To a client a stale topic is live again with its next update.
    if (subscription.status == TopicStatus::kStale) subscription.status = TopicStatus::kLive;
  }
  // The ring holds no statuses, and what this client was told last may not be known.
  const bool told = !subscription.child && !subscription.resume;
  if (told && state.last->status() == subscription.status) return true;
  if (!encoder_.status(session, *state.last)) return false;
  ++messages_;
  return true;
}

bool Sender::catch_up_pattern(Session& session, PatternSubscription& pattern) {
  if (pattern.phase != Phase::kBehind) return true;
  const PatternState* wanted = &parts_.topics.pattern(pattern.pattern_id);
  std::size_t place = 0;
  while (TopicState* state = parts_.topics.next_after(pattern.caught_up_to, place)) {
    const bool matches =
        std::find(state->patterns.begin(), state->patterns.end(), wanted) != state->patterns.end();
    if (matches && !(session.overlapping() && overridden(session, pattern, *state))) {
      if (!encoder_.pattern_snapshot(session, pattern, *state)) return false;
      ++messages_;
    }
    pattern.caught_up_to = state->apply_no;
  }
  pattern.phase = Phase::kLive;
  for (std::size_t i = 0; i < session.exact().size(); ++i) {
    const Subscription& child = session.exact()[i];
    if (child.child && child.phase == Phase::kLive)
      drop_child_if_done(session, static_cast<SubscriptionIndex>(i));
  }
  return true;
}

void Sender::drop_child_if_done(Session& session, SubscriptionIndex index) const {
  TopicState& state = parts_.topics.state(session.exact()[index].topic_id);
  for (const PatternState* pattern : state.patterns) {
    const PatternSubscription* parent = session.find_pattern(pattern->id);
    if (parent != nullptr && parent->phase != Phase::kLive) return;
  }
  TopicTable::remove_subscription(session, state, index);
}

}  // namespace tickwire
