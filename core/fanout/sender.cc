#include "fanout/sender.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "base/work.h"
#include "protocol/encode.h"

namespace tickwire {
void Sender::send(Session& session, std::span<const LiveItem> items) {
  WriteBuffer& write = encoder_.buffer();
  write.clear();
  messages_ = 0;
  if (session.writable() && session.has_outbox()) write.append(session.take_outbox());
  std::size_t next = 0;
  while (messages_ == 0 && next < items.size()) deliver(session, items[next++]);
  const Update* oldest = messages_ == 0 ? nullptr : items[next - 1].applied->update;
  for (const LiveItem& item : items.subspan(next)) deliver(session, item);
  budget_ = parts_.jobs.budget();
  const bool all = !session.writable() || catch_up(session);
  if (!write.empty()) {
    count(write.size());
    if (oldest != nullptr)
      parts_.counters.age_at_write.observe((parts_.clock.wall_ms() - oldest->ts()) * 1000);
    session.messages += messages_;
    session.last_write_us = parts_.clock.steady_us();
    session.write(write.view());
  }
  if (!all && session.writable()) parts_.dues.send_more(session);
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
  if (messages_ > 0) parts_.counters.messages_per_write.observe(static_cast<std::int64_t>(messages_));
  parts_.counters.linked.set(encoder_.linked);
  parts_.counters.standalone.set(encoder_.standalone);
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
  if (overlap_.is_over(session, subscription)) return;
  const Update& update = *applied.update;
  if (subscription.phase != Phase::kLive) {
    // One that resumed ahead of this shard: now the shard is where the client is.
    const bool arrives = applied.seq_before < subscription.seq && subscription.seq <= update.seq();
    if (arrives && !subscription.held) session.owe(index);
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
  parts_.dues.owe(session, index, subscription.pace_ms);
}

void Sender::deliver_pattern(Session& session, const LiveItem& item) {
  const Applied& applied = *item.applied;
  PatternSubscription& pattern = session.patterns()[item.index & ~kPatternBit];
  if (pattern.phase == Phase::kUnused) return;
  if (overlap_.overridden(session, pattern, *applied.state)) return;
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
    parts_.dues.owe(session, item.index, pattern.pace_ms);
  }
  // An image makes up for all updates of a value topic. Events are owed one by one, from the first that the
  // client did not get, so such a topic gets a subscription of its own until it has caught up. (A topic that
  // a new pattern has not shown yet, previous_no > caught_up_to, still begins with its snapshot.)
  const bool event = applied.state->is_event();
  const std::uint64_t events_until = event ? pattern.events_shown_until.value_or(0) : 0;
  const bool shown = applied.previous_no <= std::max(pattern.caught_up_to, events_until);
  if (event && shown) overlap_.add_child(session, pattern, applied, false);
  if (pattern.round == nullptr || pattern.round->until == 0) return;
  pattern.round->more = true;
  if (shown || applied.previous_no > pattern.round->until) return;
  // Its place in the log was before the end of this round, and is after it now.
  if (event) {
    overlap_.add_child(session, pattern, applied, true);
  } else {
    pattern.round->late.push_back(applied.state->topic->id);
  }
}

// --- behind ---------------------------------------------------------------------------------------------

bool Sender::catch_up(Session& session) {
  std::vector<SubscriptionIndex>& behind = session.behind();
  std::size_t done = 0;
  bool all = true;
  while (all && done < behind.size()) {
    const SubscriptionIndex index = behind[done];
    if (session.take_queued(index)) {
      Work::count();
      all = is_pattern_index(index) ? catch_up_pattern(session, index) : catch_up_exact(session, index);
      if (!all) {
        session.queue_again(index);
        break;
      }
    }
    ++done;
    all = done == behind.size() || !budget_.spent();
  }
  behind.erase(behind.begin(), behind.begin() + static_cast<std::ptrdiff_t>(done));
  if (behind.empty() && behind.capacity() > 16) behind.shrink_to_fit();
  return all;
}

bool Sender::catch_up_exact(Session& session, SubscriptionIndex index) {
  Subscription& subscription = session.exact()[index];
  if (subscription.phase != Phase::kBehind || subscription.held) return true;
  if (overlap_.is_over(session, subscription)) return true;
  TopicState& state = parts_.topics.state(subscription.topic_id);
  if (subscription.seq > state.seq()) return true;  // not before the shard has come as far as the client is
  if (state.last) {
    if (subscription.fresh && subscription.resume) {
      if (!snapshot(session, subscription, state)) return false;
      subscription.trail.clear();  // what is replayed comes before it
    }
    const bool replays = !subscription.fresh && (state.is_event() || subscription.resume);
    std::vector<UpdatePtr> missed;
    if (replays) missed = state.topic->ring_between(subscription.seq + 1, state.seq());
    if (replays && (state.is_event() || missed.size() == state.seq() - subscription.seq)) {
      if (!replay(session, subscription, state, missed)) return false;
    } else {
      if (!snapshot(session, subscription, state)) return false;
      subscription.seq = state.seq();
    }
    subscription.resume = false;
    subscription.status = state.last->status();
  }
  subscription.phase = Phase::kLive;
  if (subscription.child) overlap_.drop_child_if_over(session, index);
  return true;
}

bool Sender::snapshot(Session& session, Subscription& subscription, TopicState& state) {
  if (!encoder_.snapshot(session, subscription, state)) return false;
  ++messages_;
  Work::count(2);
  subscription.fresh = false;
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

bool Sender::catch_up_pattern(Session& session, SubscriptionIndex index) {
  PatternSubscription& pattern = session.patterns()[index & ~kPatternBit];
  if (pattern.phase != Phase::kBehind || pattern.held || pattern.ending()) return true;
  if (pattern.pace_ms > 0) return send_round(session, index);
  if (!show_changes(session, pattern, UINT64_MAX)) return false;
  pattern.phase = Phase::kLive;
  overlap_.tidy(session);
  return true;
}

bool Sender::send_round(Session& session, SubscriptionIndex index) {
  PatternSubscription& pattern = session.patterns()[index & ~kPatternBit];
  if (pattern.round == nullptr) pattern.round = std::make_unique<PacedRound>();
  PacedRound& round = *pattern.round;
  if (round.until == 0) {
    round.until = parts_.topics.last_apply_no();
    round.more = false;
  }
  if (!show_changes(session, pattern, round.until)) return false;
  pattern.caught_up_to = round.until;
  while (!round.late.empty()) {
    const TopicState* state = parts_.topics.find(round.late.back());
    if (state != nullptr && state->last) {
      if (!show(session, pattern, *state)) return false;
      round.ahead.push_back(state->apply_no);
    }
    round.late.pop_back();
    if (budget_.spent()) return false;
  }
  round.until = 0;
  round.shown = std::exchange(round.ahead, {});
  std::ranges::sort(round.shown);
  if (round.more) {
    parts_.dues.owe(session, index, pattern.pace_ms);
    return true;
  }
  pattern.phase = Phase::kLive;
  pattern.round.reset();
  overlap_.tidy(session);
  return true;
}

bool Sender::show_changes(Session& session, PatternSubscription& pattern, std::uint64_t until) {
  while (TopicState* state = parts_.topics.next_after(pattern.caught_up_to)) {
    if (state->apply_no > until) return true;
    if (!show(session, pattern, *state)) return false;
    pattern.caught_up_to = state->apply_no;
    if (budget_.spent()) return false;
  }
  return true;
}

// The topic's snapshot, where the pattern decides about it and its client does not have it.
bool Sender::show(Session& session, PatternSubscription& pattern, const TopicState& state) {
  const PatternState* wanted = &parts_.topics.pattern(pattern.pattern_id);
  if (std::ranges::find(state.patterns, wanted) == state.patterns.end()) return true;
  if (pattern.round != nullptr && std::ranges::binary_search(pattern.round->shown, state.apply_no))
    return true;
  if (overlap_.overridden(session, pattern, state)) return true;
  if (!encoder_.pattern_snapshot(session, pattern, state)) return false;
  ++messages_;
  Work::count(2);
  return true;
}

}  // namespace tickwire
