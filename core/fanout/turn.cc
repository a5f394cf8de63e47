#include "fanout/turn.h"

#include <algorithm>
#include <span>
#include <utility>

namespace tickwire {

void Turn::run() {
  const bool lost = std::exchange(abandoned_, false);
  inbox_.take(batch_);
  batch_.overrun = batch_.overrun || lost;
  if (batch_.empty()) return;
  parts_.counters.turns.add(1);
  for (std::size_t place = 0; place < batch_.updates.size(); ++place) {
    begin_epochs(place);
    apply(batch_.updates[place]);
    if (deliveries_.size() >= parts_.config.deliveries_max) send();
  }
  send();
  const bool overrun = batch_.overrun;
  batch_.updates.clear();
  if (overrun) skip_ahead();
  begin_epochs(SIZE_MAX);
  batch_.clear();
  begun_ = 0;
}

void Turn::begin_epochs(std::size_t place) {
  while (begun_ < batch_.epochs.size() && batch_.epochs[begun_].place <= place) {
    send();  // which belongs to the one before
    begin_epoch(batch_.epochs[begun_++].name);
  }
}

void Turn::abandon() {
  abandoned_ = true;
  applied_.clear();
  steps_.clear();
  deliveries_.clear();
  met_.clear();
  std::ranges::fill(items_end_, 0U);
  begin_epochs(SIZE_MAX);
  batch_.clear();
  begun_ = 0;
}

void Turn::apply(const UpdatePtr& update) {
  const TopicState* known = parts_.topics.find(update->topic().id);
  std::array<UpdatePtr, 2> before;
  if (known != nullptr) before = known->recent;
  const std::uint64_t seq_before = update->seq() - (update->status_only() ? 0 : 1);
  TopicState* state = parts_.topics.apply(update);
  if (state == nullptr) return;
  applied_.push_back(
      {update.get(), state, state->apply_no, state->previous_no, std::move(before), seq_before, false});
  list_deliveries(update);
}

void Turn::begin_epoch(const std::string& name) {
  parts_.epoch = name;
  ++parts_.epoch_no;
  parts_.hub.epoch_reached();
  // Each session hears of it before anything else that it is sent (Sender::send); here those that are quiet.
  parts_.jobs.add([this, slot = 0U](const Budget& budget) mutable {
    for (; slot < parts_.sessions.slot_count() && !budget.spent(); ++slot) {
      Work::count();
      Session* const session = parts_.sessions.open_at(slot);
      if (session == nullptr || session->epoch_no == parts_.epoch_no || !session->writable()) continue;
      Work::count(kWriteSteps);
      sender_.send(*session);
    }
    return slot >= parts_.sessions.slot_count();
  });
}

// All who are live fall behind, as if their sockets had been full.
void Turn::skip_ahead() {
  parts_.counters.overruns.add(1);
  parts_.topics.expect_all();
  TopicId place = 0;
  while (const auto skip = parts_.topics.skip_ahead(place)) {
    TopicState* state = skip->state;
    applied_.push_back(
        {state->last.get(), state, state->apply_no, state->previous_no, {}, skip->seq_before, true});
    list_deliveries(nullptr);
    if (deliveries_.size() >= parts_.config.deliveries_max) send();
  }
  send();
}

void Turn::list_deliveries(const UpdatePtr& update) {
  const auto number = static_cast<std::uint32_t>(applied_.size() - 1);
  const Applied& applied = applied_.back();
  for (const SubscriberRef& ref : applied.state->subscribers)
    deliveries_.push_back({ref.slot, ref.index, number, kNoStep});
  for (const auto& [pattern, place] : applied.state->patterns) {
    if (pattern->subscribers.empty()) continue;  // it is leaving its topics
    const std::uint32_t step = update == nullptr ? kNoStep : add_step(*pattern, applied, update);
    for (const SubscriberRef& ref : pattern->subscribers)
      deliveries_.push_back({ref.slot, ref.index, number, step});
  }
}

void Turn::send() {
  if (applied_.empty()) return;
  sort_by_session();
  std::uint32_t begin = 0;
  for (const std::uint32_t slot : met_) {
    const std::uint32_t end = std::exchange(items_end_[slot], 0);
    if (Session* session = parts_.sessions.open_at(slot))
      sender_.send(*session, std::span(items_).subspan(begin, end - begin));
    begin = end;
  }
  met_.clear();
  applied_.clear();
  steps_.clear();
  deliveries_.clear();
}

std::uint32_t Turn::add_step(PatternState& pattern, const Applied& applied, const UpdatePtr& update) {
  if (update->status_only()) return kNoStep;
  steps_.push_back({applied.apply_no, pattern.sent, {}});
  pattern.sent = {PatternSent{applied.apply_no, update}, std::move(pattern.sent[0])};
  return static_cast<std::uint32_t>(steps_.size() - 1);
}

void Turn::sort_by_session() {
  // Counting sort, stable: items_end_ first counts, then holds where each session's items begin, and, once
  // they are placed, where they end.
  items_end_.resize(parts_.sessions.slot_count());
  for (const Delivery& delivery : deliveries_) {
    if (items_end_[delivery.slot]++ == 0) met_.push_back(delivery.slot);
  }
  std::uint32_t begin = 0;
  for (const std::uint32_t slot : met_) {
    const std::uint32_t count = std::exchange(items_end_[slot], begin);
    begin += count;
  }
  items_.resize(deliveries_.size());
  for (const Delivery& delivery : deliveries_) {
    const PatternStep* step = delivery.step == kNoStep ? nullptr : &steps_[delivery.step];
    items_[items_end_[delivery.slot]++] = {delivery.index, &applied_[delivery.applied], step};
  }
}

}  // namespace tickwire
