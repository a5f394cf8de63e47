#include "session/session.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "base/grow.h"
#include "base/work.h"
#include "protocol/encode.h"
#include "protocol/transcode.h"

namespace tickwire {
namespace {

constexpr std::size_t kPlacesAStep = 64;  // of a list of subscriptions

}  // namespace

void Session::close(CloseCode code, std::string_view reason, std::optional<Limit> limit) {
  if (state_ == SessionState::kClosing) return;
  if (limit && limited != nullptr) limited->add(static_cast<std::size_t>(*limit));
  if (writable() && has_outbox() && !write(take_outbox())) return;
  state_ = SessionState::kClosing;
  bytes += outbox_.size();
  socket_.close(code, reason, take_outbox());
}

void Session::on_gone() {
  state_ = SessionState::kClosing;
  take_outbox();
  parked.clear();
  parked_share.release();
  behind_.clear();
}

std::string Session::describe() const {
  std::string text = client.session + " " + std::string(name_of(state_));
  if (blocked_) text += " blocked";
  return text + " subscriptions=" + std::to_string(exact_count_ + pattern_count_) +
         " behind=" + std::to_string(behind_.size()) + " outbox=" + std::to_string(outbox_.size());
}

void Session::send(std::string_view text) {
  if (framing.format == Format::kJson) return send_payload(text);
  send_payload(to_binary(framing.format, text));
}

void Session::send_payload(std::string_view payload) {
  if (state_ == SessionState::kClosing) return;
  framing.append(outbox_, payload);
  update_reading();
  if (!blocked_ || !outbox_share.counts()) return;
  if (const auto limit = outbox_share.resize(outbox_.size()))
    close(CloseCode::kTooSlow, "no memory for answers that wait, try again later", limit);
}

void Session::send_heartbeat(std::int64_t ts) {
  if (framing.carrier != Carrier::kEvents) return send(encode_heartbeat(ts));
  if (state_ != SessionState::kClosing) outbox_ += kEventHeartbeat;
}

void Session::send_drain(int reconnect_after_ms) {
  if (framing.carrier == Carrier::kEvents && state_ != SessionState::kClosing)
    append_retry(outbox_, reconnect_after_ms);
  send(encode_drain(reconnect_after_ms));
}

std::string Session::take_outbox() {
  std::string frames;
  frames.swap(outbox_);
  outbox_share.release();
  return frames;
}

bool Session::write(std::string_view frames) {
  assert(writable());
  bytes += frames.size();
  switch (socket_.write(frames)) {
    case WriteResult::kSent:
      break;
    case WriteResult::kBlocked:
      blocked_ = true;
      break;
    case WriteResult::kClosed:
      state_ = SessionState::kClosing;
      break;
  }
  update_reading();
  return state_ != SessionState::kClosing;
}

void Session::hold_reading(bool hold) {
  hold_ = hold;
  update_reading();
}

void Session::update_reading() {
  // Each command adds one answer: not reading on while they wait is what bounds the outbox.
  const bool want = !hold_ && !(blocked_ && has_outbox());
  if (want == reading_ || state_ == SessionState::kClosing) return;
  reading_ = want;
  socket_.set_reading(want);
}

Subscription* Session::find(std::uint32_t topic_id, SubscriptionIndex* index) {
  const std::optional<SubscriptionIndex> found = lookup_.find(exact_, topic_id);
  if (!found) return nullptr;
  if (index != nullptr) *index = *found;
  return &exact_[*found];
}

PatternSubscription* Session::find_pattern(std::uint32_t pattern_id, SubscriptionIndex* index) {
  for (std::size_t i = 0; i < patterns_.size(); ++i) {
    const PatternSubscription& pattern = patterns_[i];
    if (pattern.phase == Phase::kUnused || pattern.ending() || pattern.pattern_id != pattern_id) continue;
    if (index != nullptr) *index = static_cast<SubscriptionIndex>(i) | kPatternBit;
    return &patterns_[i];
  }
  return nullptr;
}

SubscriptionIndex Session::add(const Subscription& subscription) {
  SubscriptionIndex index = 0;
  if (free_.empty()) {
    index = static_cast<SubscriptionIndex>(exact_.size());
    make_room(exact_);
    exact_.push_back(subscription);
  } else {
    index = free_.back();
    free_.pop_back();
    exact_[index] = subscription;
  }
  ++exact_count_;
  if (subscription.asked) ++asked_;
  lookup_.insert(exact_, index);
  if (subscription.child) ++child_count_;
  return index;
}

SubscriptionIndex Session::add_pattern(PatternSubscription subscription) {
  ++pattern_count_;
  ++asked_;
  auto place = std::find_if(patterns_.begin(), patterns_.end(),
                            [](const PatternSubscription& p) { return p.phase == Phase::kUnused; });
  if (place == patterns_.end()) place = patterns_.emplace(patterns_.end());
  *place = std::move(subscription);
  place->order = next_order_++;
  return static_cast<SubscriptionIndex>(place - patterns_.begin()) | kPatternBit;
}

void Session::begin_end(SubscriptionIndex pattern) {
  patterns_[pattern & ~kPatternBit].ends_before = next_order_;
  ++ending_count_;
  --asked_;
}

void Session::remove(SubscriptionIndex index) {
  if (is_pattern_index(index)) {
    PatternSubscription& pattern = patterns_[index & ~kPatternBit];
    pattern.phase = Phase::kUnused;
    --pattern_count_;
    if (std::exchange(pattern.ends_before, 0) != 0) {
      --ending_count_;
    } else {
      --asked_;
    }
    return;
  }
  Subscription& subscription = exact_[index];
  if (subscription.asked) --asked_;
  if (subscription.child) --child_count_;
  lookup_.erase(exact_, index);
  subscription.phase = Phase::kUnused;
  --exact_count_;
  free_.push_back(index);
}

std::optional<SubscriptionIndex> Session::any_pattern() const {
  if (pattern_count_ == 0) return std::nullopt;
  const auto used = std::ranges::find_if(
      patterns_, [](const PatternSubscription& pattern) { return pattern.phase != Phase::kUnused; });
  return static_cast<SubscriptionIndex>(used - patterns_.begin()) | kPatternBit;
}

std::optional<SubscriptionIndex> Session::any_exact() {
  if (exact_count_ == 0) return std::nullopt;
  while (exact_.back().phase == Phase::kUnused) exact_.pop_back();
  return static_cast<SubscriptionIndex>(exact_.size() - 1);
}

void Session::owe(SubscriptionIndex index) {
  const bool queued = take_queued(index);
  queue_again(index);
  if (!queued) behind_.push_back(index);
}

bool Session::take_queued(SubscriptionIndex index) {
  if (is_pattern_index(index)) return std::exchange(patterns_[index & ~kPatternBit].queued, false);
  const bool queued = exact_[index].queued;
  exact_[index].queued = false;
  return queued;
}

void Session::queue_again(SubscriptionIndex index) {
  if (is_pattern_index(index)) {
    patterns_[index & ~kPatternBit].queued = true;
  } else {
    exact_[index].queued = true;
  }
}

void Session::hold(SubscriptionIndex index) {
  bool was_held = true;
  if (is_pattern_index(index)) {
    was_held = std::exchange(patterns_[index & ~kPatternBit].held, true);
  } else {
    was_held = exact_[index].held;
    exact_[index].held = true;
  }
  if (!was_held) held_.push_back(index);
}

std::size_t Session::behind_count() const {
  const auto behind = [this](SubscriptionIndex index) {
    if (is_pattern_index(index)) return patterns_[index & ~kPatternBit].phase == Phase::kBehind;
    return exact_[index].queued && exact_[index].phase == Phase::kBehind;
  };
  Work::count(behind_.size() / kPlacesAStep);
  return static_cast<std::size_t>(std::ranges::count_if(behind_, behind));
}

void Session::adopt_child(Subscription& subscription) {
  subscription.child = false;
  subscription.asked = true;
  ++asked_;
  --child_count_;
}

void Session::make_child(SubscriptionIndex index) {
  exact_[index].child = true;
  exact_[index].asked = false;
  --asked_;
  ++child_count_;
}

std::optional<SubscriptionIndex> Session::next_child(std::size_t& place, const Budget& budget) const {
  if (child_count_ == 0) place = exact_.size();
  while (place < exact_.size() && !budget.spent()) {
    if (place % kPlacesAStep == 0) Work::count();
    const Subscription& subscription = exact_[place++];
    if (subscription.phase != Phase::kUnused && subscription.child)
      return static_cast<SubscriptionIndex>(place - 1);
  }
  return std::nullopt;
}

}  // namespace tickwire
