#include "session/topic_lookup.h"

#include <bit>
#include <cassert>

#include "base/work.h"

namespace tickwire {

std::optional<SubscriptionIndex> TopicLookup::find(List list, std::uint32_t topic_id) const {
  if (slots_.empty()) {
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (list[i].phase != Phase::kUnused && list[i].topic_id == topic_id)
        return static_cast<SubscriptionIndex>(i);
    }
    return std::nullopt;
  }
  for (std::size_t at = home(topic_id); slots_[at] != 0; at = next(at)) {
    if (list[slots_[at] - 1].topic_id == topic_id) return slots_[at] - 1;
  }
  return std::nullopt;
}

void TopicLookup::insert(List list, SubscriptionIndex index) {
  assert(list[index].phase != Phase::kUnused);
  ++size_;
  if (slots_.empty() && list.size() <= kScannedMax) return;
  if (slots_.empty() || size_ * 4 > slots_.size() * 3) return rebuild(list, std::bit_ceil(size_ * 2));
  put(list, index);
}

void TopicLookup::erase(List list, SubscriptionIndex index) {
  --size_;
  if (slots_.empty()) return;
  std::size_t hole = home(list[index].topic_id);
  while (slots_[hole] != index + 1) {
    assert(slots_[hole] != 0);
    hole = next(hole);
  }
  // What a probe would reach only through the hole moves into it.
  for (std::size_t at = next(hole); slots_[at] != 0; at = next(at)) {
    const std::size_t mask = slots_.size() - 1;
    const std::size_t from_home = (at - home(list[slots_[at] - 1].topic_id)) & mask;
    if (from_home < ((at - hole) & mask)) continue;
    slots_[hole] = slots_[at];
    hole = at;
  }
  slots_[hole] = 0;
}

// Topic ids are dense: the multiplication spreads them over the table (Knuth's multiplicative hashing).
std::size_t TopicLookup::home(std::uint32_t topic_id) const {
  const std::uint32_t spread = topic_id * 2'654'435'769U;
  return spread >> (32U - static_cast<unsigned>(std::countr_zero(slots_.size())));
}

void TopicLookup::put(List list, SubscriptionIndex index) {
  std::size_t at = home(list[index].topic_id);
  while (slots_[at] != 0) at = next(at);
  slots_[at] = index + 1;
}

// Doubling pays for it: on average each subscription is put a second time.
void TopicLookup::rebuild(List list, std::size_t slots) {
  Work::count(list.size() / 64);
  slots_.assign(slots, 0);
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (list[i].phase != Phase::kUnused) put(list, static_cast<SubscriptionIndex>(i));
  }
}

}  // namespace tickwire
