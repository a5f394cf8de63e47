#include "fanout/sender.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "base/work.h"
#include "protocol/encode.h"

namespace tickwire {
namespace {

// Updates that are taken out of a ring at once.
constexpr std::size_t kReplayedAtOnce = 512;

void note_status(Subscription& subscription, const Update& sent) {
  subscription.status = sent.status();
  subscription.status_told = true;
}

}  // namespace

void Sender::send(Session& session, std::span<const LiveItem> items) {
  WriteBuffer& write = encoder_.buffer();
  write.clear();
  messages_ = 0;
  if (session.writable() && session.epoch_no != parts_.epoch_no) tell_epoch(session);
  if (session.writable() && session.has_outbox()) write.append(session.take_outbox());
  std::size_t next = 0;
  while (messages_ == 0 && next < items.size()) deliver(session, items[next++]);
  const Update* oldest = messages_ == 0 ? nullptr : items[next - 1].applied->update;
  for (const LiveItem& item : items.subspan(next)) deliver(session, item);
  budget_ = parts_.jobs.budget();
  const bool all = !session.writable() || catch_up(session);
  if (session.framing.carrier == Carrier::kEvents && session.writable()) append_cursor(session);
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

// A request has no welcome to which that would be news.
void Sender::tell_epoch(Session& session) const {
  session.epoch_no = parts_.epoch_no;
  if (session.framing.carrier != Carrier::kRequest)
    session.send(encode_epoch(parts_.epoch, parts_.clock.wall_ms()));
}

void Sender::append_cursor(Session& session) {
  const std::uint64_t messages = session.messages + messages_;
  const Cursors::Due due = cursors_.due(session, messages, encoder_.buffer().size());
  if (due == Cursors::Due::kNo) return;
  if (!cursors_.has_room()) {
    const bool waits = due == Cursors::Due::kYes && !std::exchange(session.cursor_owed, true);
    if (waits) cursors_owed_.push_back(parts_.sessions.ref(session));
    return;
  }
  const std::string cursor = cursors_.of(session);
  if (cursor.empty()) return;
  encoder_.buffer().append(event_id(cursor));
  if (messages > 0) session.cursor_us = parts_.clock.steady_us();
  session.cursor_messages = messages;
}

void Sender::send_cursors() {
  const Budget budget = parts_.jobs.budget();
  while (owes_cursors() && cursors_.has_room() && !budget.spent()) {
    Session* const session = parts_.sessions.find(cursors_owed_.front());
    cursors_owed_.pop_front();
    Work::count();
    if (session == nullptr) continue;
    session->cursor_owed = false;
    if (!session->writable()) continue;  // it comes with its next write
    Work::count(kWriteSteps);
    send(*session);
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
  const bool ready = large_forms_.update_ready(session, update);
  if (session.writable() && subscription.pace_ms == 0 && !applied.skips && ready) {
    assert(subscription.seq == applied.seq_before);
    if (encoder_.update(session, subscription, applied)) {
      ++messages_;
      subscription.seq = update.seq();
      note_status(subscription, update);
      return;
    }
  }
  subscription.phase = Phase::kBehind;
  if (subscription.pace_ms == 0 && ready) {
    ++session.conflated;
    parts_.counters.conflated.add(1);
  }
  // Its form may be made by the time the ring has let go of it.
  const bool newest = applied.state->last.get() == applied.update;
  if (!ready && newest && applied.state->is_event() && subscription.pace_ms == 0)
    return large_forms_.await_update(session, index, applied.state->last);
  parts_.dues.owe(session, index, subscription.pace_ms);
}

void Sender::deliver_pattern(Session& session, const LiveItem& item) {
  const Applied& applied = *item.applied;
  PatternSubscription& pattern = session.patterns()[item.index & ~kPatternBit];
  if (pattern.phase == Phase::kUnused) return;
  if (overlap_.overridden(session, pattern, *applied.state)) return;
  if (pattern.phase == Phase::kLive) {
    if (session.writable() && pattern.pace_ms == 0 && !applied.skips) {
      // Only this topic waits for what a worker makes.
      if (!large_forms_.update_ready(session, *applied.update))
        return overlap_.add_child(session, pattern, applied, false);
      if (encoder_.pattern_update(session, pattern, applied, item.step)) {
        ++messages_;
        return;
      }
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
    const Caught caught = send_owed(session, index, state);
    if (caught != Caught::kUp) return caught == Caught::kLater;
    subscription.resume = false;
    note_status(subscription, *state.last);
  }
  subscription.phase = Phase::kLive;
  if (subscription.child) overlap_.drop_child_if_over(session, index);
  return true;
}

Sender::Caught Sender::send_owed(Session& session, SubscriptionIndex index, TopicState& state) {
  Subscription& subscription = session.exact()[index];
  if (subscription.fresh && subscription.resume) {
    const UpdatePtr shown = to_show(session, index, state);
    if (shown == nullptr) return Caught::kLater;
    if (!snapshot(session, subscription, state, *shown)) return Caught::kFull;
    subscription.trail.clear();  // what is replayed comes before it
  }
  if (!subscription.fresh && (state.is_event() || subscription.resume)) {
    const Caught caught = replay(session, index, state);
    if (caught != Caught::kLost) return caught;
  }
  const UpdatePtr shown = to_show(session, index, state);
  if (shown == nullptr) return Caught::kLater;
  if (!snapshot(session, subscription, state, *shown)) return Caught::kFull;
  subscription.seq = shown->seq();
  if (shown == state.last) return Caught::kUp;
  subscription.resume = false;
  note_status(subscription, *shown);
  parts_.dues.owe(session, index, subscription.pace_ms);
  return Caught::kLater;
}

UpdatePtr Sender::to_show(Session& session, SubscriptionIndex index, const TopicState& state) {
  if (large_forms_.snapshot_ready(session, *state.last)) return state.last;
  const Subscription& subscription = session.exact()[index];
  UpdatePtr made = large_forms_.made_snapshot(session, state);
  // Nothing that the client has had, or has been told that it will have.
  if (made && made->seq() + (subscription.fresh ? 1 : 0) > subscription.seq) return made;
  large_forms_.await_snapshot(session, index, state.last);
  return nullptr;
}

bool Sender::snapshot(Session& session, Subscription& subscription, TopicState& state, const Update& update) {
  if (!encoder_.snapshot(session, subscription, state, update)) return false;
  ++messages_;
  Work::count(2);
  subscription.fresh = false;
  return true;
}

Sender::Caught Sender::replay(Session& session, SubscriptionIndex index, const TopicState& state) {
  Subscription& subscription = session.exact()[index];
  while (subscription.seq < state.seq()) {
    const std::uint64_t next = subscription.seq + 1;
    std::vector<UpdatePtr> missed = state.topic->ring_between(next, state.seq(), kReplayedAtOnce);
    if (missed.empty()) {
      if (UpdatePtr made = large_forms_.made_update(session, state, next)) missed.push_back(std::move(made));
    }
    const std::uint64_t first = missed.empty() ? state.seq() + 1 : missed.front()->seq();
    if (first > next && !state.is_event()) return Caught::kLost;
    if (first > next && !gap(session, subscription, state, first)) return Caught::kFull;
    for (const UpdatePtr& update : missed) {
      const bool ready = large_forms_.update_ready(session, *update);
      // The ring's is another one where it keeps no image.
      const UpdatePtr sent = ready ? update : large_forms_.made_update(session, state, update->seq());
      if (sent == nullptr) {
        large_forms_.await_update(session, index, update);
        return Caught::kLater;
      }
      if (budget_.spent() || !encoder_.kept_update(session, subscription, *sent)) return Caught::kFull;
      Work::count(2);
      ++messages_;
      subscription.seq = update->seq();
      // To a client a stale topic is live again with its next update.
      if (subscription.status == TopicStatus::kStale) subscription.status = TopicStatus::kLive;
    }
  }
  // The ring holds no statuses.
  if (knows_status(subscription, state.last->status()) && state.last->halt() == nullptr) return Caught::kUp;
  if (!encoder_.status(session, *state.last)) return Caught::kFull;
  ++messages_;
  return Caught::kUp;
}

bool Sender::gap(Session& session, Subscription& subscription, const TopicState& state,
                 std::uint64_t kept_from) {
  const std::string text = encode_gap(state.topic->name, subscription.seq + 1, kept_from - 1);
  if (!encoder_.gap(session, text)) return false;
  ++messages_;
  ++session.gaps;
  parts_.counters.gaps.add(1);
  subscription.seq = kept_from - 1;
  subscription.trail.clear();
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
    TopicState* state = parts_.topics.find(round.late.back());
    if (state != nullptr && state->last) {
      if (!show(session, pattern, *state)) return false;
      round.ahead.add(state->apply_no);
    }
    round.late.pop_back();
    if (budget_.spent()) return false;
  }
  round.until = 0;
  round.ahead.finish();
  round.shown = std::exchange(round.ahead, {});
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
bool Sender::show(Session& session, PatternSubscription& pattern, TopicState& state) {
  if (!state.is_of(pattern.pattern_id)) return true;
  if (pattern.round != nullptr && pattern.round->shown.contains(state.apply_no)) return true;
  if (overlap_.overridden(session, pattern, state)) return true;
  if (!large_forms_.snapshot_ready(session, *state.last)) {
    overlap_.add_child(session, pattern, {.state = &state, .before = {}, .seq_before = state.seq()}, true);
    return true;
  }
  if (!encoder_.pattern_snapshot(session, pattern, state)) return false;
  ++messages_;
  Work::count(2);
  return true;
}

}  // namespace tickwire
