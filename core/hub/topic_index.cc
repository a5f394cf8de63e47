#include "hub/topic_index.h"

#include <algorithm>
#include <cassert>
#include <new>
#include <utility>

namespace tickwire {

TopicIndex::Table::Table(std::size_t size)
    : slots_(static_cast<Slot*>(std::calloc(size, sizeof(Slot)))), size_(size) {
  if (!slots_) throw std::bad_alloc();
}

TopicIndex::Slot* TopicIndex::Table::find(std::string_view name, std::size_t hash) const {
  if (empty()) return nullptr;
  for (std::size_t at = hash & (size_ - 1); slots_[at].topic != nullptr; at = next(at)) {
    if (slots_[at].hash == hash && slots_[at].topic->name == name) return &slots_[at];
  }
  return nullptr;
}

void TopicIndex::Table::put(Slot entry) {
  std::size_t at = entry.hash & (size_ - 1);
  while (slots_[at].topic != nullptr) at = next(at);
  slots_[at] = entry;
}

void TopicIndex::Table::erase(Slot* slot) {
  auto hole = static_cast<std::size_t>(slot - slots_.get());
  for (std::size_t at = next(hole); slots_[at].topic != nullptr; at = next(at)) {
    const std::size_t mask = size_ - 1;
    const std::size_t from_home = (at - slots_[at].hash) & mask;
    if (from_home < ((at - hole) & mask)) continue;
    slots_[hole] = slots_[at];
    hole = at;
  }
  slots_[hole] = {};
}

Topic* TopicIndex::find(std::string_view name, std::size_t hash) const {
  const Slot* slot = table_.find(name, hash);
  if (slot == nullptr) slot = before_.find(name, hash);
  return slot == nullptr ? nullptr : slot->topic;
}

void TopicIndex::insert(Topic& topic) {
  constexpr std::size_t kSlotsMin = 16;
  if ((size_ + 1) * 2 > table_.size()) {
    assert(left_ == 0);
    before_ = std::exchange(table_, Table(std::max(kSlotsMin, table_.size() * 2)));
    left_ = before_.size();
    place_ = 0;
    while (left_ > 0 && before_.at(place_)->topic != nullptr) ++place_;
  }
  carry_over();
  table_.put({hash(topic.name), &topic});
  ++size_;
}

// A table of n slots gets its successor with n/2 topics, and that one is half full after n/2 more inserts:
// with two slots or more for each of them, everything is there by then.
void TopicIndex::carry_over() {
  static_assert(kMovedAtOnce >= 2);
  for (std::size_t moved = 0; left_ > 0; ++moved, --left_) {
    Slot& slot = *before_.at(place_);
    // Neighbours go together, so that no probe of what is left meets a gap.
    if (moved >= kMovedAtOnce && slot.topic == nullptr) return;
    if (slot.topic != nullptr) table_.put(std::exchange(slot, {}));
    place_ = before_.next(place_);
  }
  before_ = {};
}

void TopicIndex::erase(const Topic& topic) {
  const std::size_t its_hash = hash(topic.name);
  if (Slot* slot = table_.find(topic.name, its_hash)) {
    table_.erase(slot);
  } else {
    before_.erase(before_.find(topic.name, its_hash));
  }
  --size_;
}

}  // namespace tickwire
