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
  batch_.clear();
}

void Turn::apply() {
  applied_.clear();
  for (const UpdatePtr& update : batch_) {
    TopicState* state = parts_.topics.apply(update);
    if (state == nullptr) continue;
    applied_.push_back({update.get(), state, state->apply_no, state->previous_no});
  }
}

void Turn::list_deliveries() {
  deliveries_.clear();
  for (std::uint32_t i = 0; i < applied_.size(); ++i) {
    const TopicState& state = *applied_[i].state;
    for (const SubscriberRef& ref : state.subscribers) deliveries_.push_back({ref.slot, ref.index, i});
    for (const PatternState* pattern : state.patterns) {
      for (const SubscriberRef& ref : pattern->subscribers) deliveries_.push_back({ref.slot, ref.index, i});
    }
  }
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
    items_[item_end_[delivery.slot]++] = {delivery.index, &applied_[delivery.applied]};
  }
}

}  // namespace tickwire
