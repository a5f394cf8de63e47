#include "hub/topic_index.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace tickwire {

Topic* TopicIndex::find(std::string_view name, std::size_t hash) const {
  if (slots_.empty()) return nullptr;
  for (std::size_t at = hash & (slots_.size() - 1); slots_[at].topic != nullptr; at = next(at)) {
    if (slots_[at].hash == hash && slots_[at].topic->name == name) return slots_[at].topic;
  }
  return nullptr;
}

void TopicIndex::insert(Topic& topic) {
  constexpr std::size_t kSlotsMin = 16;
  if ((size_ + 1) * 2 > slots_.size()) {
    const std::vector<Slot> old = std::exchange(slots_, {});
    slots_.resize(std::max(kSlotsMin, old.size() * 2));
    for (const Slot& slot : old) {
      if (slot.topic != nullptr) put(slot);
    }
  }
  put({hash(topic.name), &topic});
  ++size_;
}

void TopicIndex::put(Slot entry) {
  std::size_t at = entry.hash & (slots_.size() - 1);
  while (slots_[at].topic != nullptr) at = next(at);
  slots_[at] = entry;
}

void TopicIndex::erase(const Topic& topic) {
  std::size_t hole = hash(topic.name) & (slots_.size() - 1);
  while (slots_[hole].topic != &topic) {
    assert(slots_[hole].topic != nullptr);
    hole = next(hole);
  }
  // What a probe would reach only through the hole moves into it.
  for (std::size_t at = next(hole); slots_[at].topic != nullptr; at = next(at)) {
    const std::size_t mask = slots_.size() - 1;
    const std::size_t from_home = (at - slots_[at].hash) & mask;
    if (from_home < ((at - hole) & mask)) continue;
    slots_[hole] = slots_[at];
    hole = at;
  }
  slots_[hole] = {};
  --size_;
}

}  // namespace tickwire
