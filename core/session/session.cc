#include "session/session.h"

#include <algorithm>
#include <cassert>

#include "base/grow.h"
#include "protocol/transcode.h"

namespace tickwire {

void Session::drain() {
  assert(can_follow(state_, SessionState::kDraining));
  state_ = SessionState::kDraining;
}

void Session::close(CloseCode code, std::string_view reason) {
  if (state_ == SessionState::kClosing) return;
  if (writable() && has_outbox() && !write(take_outbox())) return;
  state_ = SessionState::kClosing;
  bytes += outbox_.size();
  socket_.close(code, reason, take_outbox());
}

std::string Session::describe() const {
  std::string text = client.session + " " + std::string(name_of(state_));
  if (blocked_) text += " blocked";
  return text + " subscriptions=" + std::to_string(exact_count_ + pattern_count_) +
         " behind=" + std::to_string(behind_.size()) + " outbox=" + std::to_string(outbox_.size());
}

void Session::send(std::string_view text) {
  if (state_ == SessionState::kClosing) return;
  append_message(outbox_, format, text);
  update_reading();
}

std::string Session::take_outbox() {
  std::string frames;
  frames.swap(outbox_);
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
  SubscriptionIndex at = 0;
  if (batch_ || pattern_count_ > 0) {
    const auto found = index_.find(topic_id);
    if (found == index_.end()) return nullptr;
    at = found->second;
  } else {
    const auto found = std::find_if(exact_.begin(), exact_.end(), [&](const Subscription& subscription) {
      return subscription.phase != Phase::kUnused && subscription.topic_id == topic_id;
    });
    if (found == exact_.end()) return nullptr;
    at = static_cast<SubscriptionIndex>(found - exact_.begin());
  }
  if (index != nullptr) *index = at;
  return &exact_[at];
}

PatternSubscription* Session::find_pattern(std::uint32_t pattern_id, SubscriptionIndex* index) {
  for (std::size_t i = 0; i < patterns_.size(); ++i) {
    if (patterns_[i].phase == Phase::kUnused || patterns_[i].pattern_id != pattern_id) continue;
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
  if (batch_ || pattern_count_ > 0) index_[subscription.topic_id] = index;
  return index;
}

SubscriptionIndex Session::add_pattern(const PatternSubscription& subscription) {
  if (pattern_count_ == 0 && !batch_) begin_batch(0), batch_ = false;
  ++pattern_count_;
  ++asked_;
  auto place = std::find_if(patterns_.begin(), patterns_.end(),
                            [](const PatternSubscription& p) { return p.phase == Phase::kUnused; });
  if (place == patterns_.end()) place = patterns_.emplace(patterns_.end());
  *place = subscription;
  place->order = next_order_++;
  return static_cast<SubscriptionIndex>(place - patterns_.begin()) | kPatternBit;
}

void Session::remove(SubscriptionIndex index) {
  if (is_pattern_index(index)) {
    patterns_[index & ~kPatternBit].phase = Phase::kUnused;
    --pattern_count_;
    --asked_;
    if (pattern_count_ == 0 && !batch_) end_batch();
    return;
  }
  Subscription& subscription = exact_[index];
  if (subscription.asked) --asked_;
  index_.erase(subscription.topic_id);
  subscription.phase = Phase::kUnused;
  --exact_count_;
  free_.push_back(index);
}

std::size_t Session::behind_count() const {
  std::vector<SubscriptionIndex> owed = behind_;
  std::erase_if(owed, [this](SubscriptionIndex index) {
    const Phase phase = is_pattern_index(index) ? patterns_[index & ~kPatternBit].phase : exact_[index].phase;
    return phase != Phase::kBehind;
  });
  std::ranges::sort(owed);
  return static_cast<std::size_t>(std::ranges::unique(owed).begin() - owed.begin());
}

void Session::adopt_child(Subscription& subscription) {
  subscription.child = false;
  subscription.asked = true;
  ++asked_;
}

void Session::make_child(Subscription& subscription) {
  subscription.child = true;
  subscription.asked = false;
  --asked_;
}

void Session::begin_batch(std::size_t topics) {
  batch_ = true;
  make_room(exact_, topics - std::min(topics, free_.size()));
  if (pattern_count_ > 0) return;
  index_.reserve(exact_count_ + topics);
  for (std::size_t i = 0; i < exact_.size(); ++i) {
    if (exact_[i].phase != Phase::kUnused) index_[exact_[i].topic_id] = static_cast<SubscriptionIndex>(i);
  }
}

void Session::end_batch() {
  batch_ = false;
  if (pattern_count_ == 0) std::unordered_map<std::uint32_t, SubscriptionIndex>().swap(index_);
}

}  // namespace tickwire
