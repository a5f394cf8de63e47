#include "fanout/turn.h"

#include <span>

namespace tickwire {

void Turn::run() {
  inbox_.take(batch_);
  if (batch_.empty()) return;
  parts_.counters.turns.add(1);
  apply();
  list_deliveries();
  sort_by_session();
  std::uint32_t begin = 0;
  for (std::uint32_t slot = 0; slot < item_end_.size(); ++slot) {
    const std::uint32_t end = item_end_[slot];
    if (end == begin) continue;
    sender_.send(*parts_.sessions.at(slot), std::span(items_).subspan(begin, end - begin));
    begin = end;
  }
  applied_.clear();
  steps_.clear();
  batch_.clear();
}

void Turn::apply() {
  applied_.clear();
  batch_index_.clear();
  for (std::uint32_t i = 0; i < batch_.size(); ++i) {
    const TopicState* known = parts_.topics.find(batch_[i]->topic().id);
    std::array<UpdatePtr, 2> before;
    if (known != nullptr) before = known->recent;
    TopicState* state = parts_.topics.apply(batch_[i]);
    if (state == nullptr) continue;
    applied_.push_back({batch_[i].get(), state, state->apply_no, state->previous_no, std::move(before)});
    batch_index_.push_back(i);
  }
}

void Turn::list_deliveries() {
  deliveries_.clear();
  steps_.clear();
  for (std::uint32_t i = 0; i < applied_.size(); ++i) {
    const TopicState& state = *applied_[i].state;
    for (const SubscriberRef& ref : state.subscribers)
      deliveries_.push_back({ref.slot, ref.index, i, kNoStep});
    for (PatternState* pattern : state.patterns) {
      const std::uint32_t step = add_step(*pattern, applied_[i], batch_[batch_index_[i]]);
      for (const SubscriberRef& ref : pattern->subscribers)
        deliveries_.push_back({ref.slot, ref.index, i, step});
    }
  }
}

std::uint32_t Turn::add_step(PatternState& pattern, const Applied& applied, const UpdatePtr& update) {
  if (update->status_only()) return kNoStep;
  steps_.push_back({applied.apply_no, pattern.sent, {}});
  pattern.sent = {PatternSent{applied.apply_no, update}, std::move(pattern.sent[0])};
  return static_cast<std::uint32_t>(steps_.size() - 1);
}

void Turn::sort_by_session() {
  // Counting sort, stable: item_end_ first counts, then holds where each session's items begin, and, once
  // they are placed, where they end.
  item_end_.assign(parts_.sessions.slot_count(), 0);
  for (const Delivery& delivery : deliveries_) ++item_end_[delivery.slot];
  std::uint32_t begin = 0;
  for (std::uint32_t& entry : item_end_) {
    const std::uint32_t count = entry;
    entry = begin;
    begin += count;
  }
  items_.resize(deliveries_.size());
  for (const Delivery& delivery : deliveries_) {
    const PatternStep* step = delivery.step == kNoStep ? nullptr : &steps_[delivery.step];
    items_[item_end_[delivery.slot]++] = {delivery.index, &applied_[delivery.applied], step};
  }
}

}  // namespace tickwire
