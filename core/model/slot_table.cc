#include "model/slot_table.h"

#include <algorithm>
#include <bit>
#include <cassert>

namespace tickwire {

std::size_t SlotTable::entries_for(std::size_t count) {
  constexpr std::size_t kEntriesMin = 16;
  return std::bit_ceil(std::max(kEntriesMin, count + count / 3 + 1));
}

void SlotTable::insert(std::uint64_t hash, std::uint32_t slot) {
  assert(slot != kNone);
  if ((size_ + 1) * 4 > entries_.size() * 3) {
    const std::vector<Entry> old = std::exchange(entries_, std::vector<Entry>(entries_for(size_ + 1)));
    for (const Entry& entry : old) {
      if (entry.slot != kNone) put(entry);
    }
  }
  put({static_cast<std::uint32_t>(hash), slot});
  ++size_;
}

void SlotTable::put(Entry entry) {
  std::size_t at = home(entry.tag);
  while (entries_[at].slot != kNone) at = next(at);
  entries_[at] = entry;
}

void SlotTable::erase(std::uint64_t hash, std::uint32_t slot) {
  std::size_t hole = home(static_cast<std::uint32_t>(hash));
  while (entries_[hole].slot != slot) {
    assert(entries_[hole].slot != kNone);
    hole = next(hole);
  }
  // What a probe would reach only through the hole moves into it.
  for (std::size_t at = next(hole); entries_[at].slot != kNone; at = next(at)) {
    const std::size_t mask = entries_.size() - 1;
    if (((at - home(entries_[at].tag)) & mask) < ((at - hole) & mask)) continue;
    entries_[hole] = entries_[at];
    hole = at;
  }
  entries_[hole] = {};
  --size_;
}

void SlotTable::renumber(const std::vector<std::uint32_t>& numbers) {
  const std::vector<Entry> old = std::exchange(entries_, std::vector<Entry>(entries_for(size_)));
  for (const Entry& entry : old) {
    if (entry.slot != kNone) put({entry.tag, numbers[entry.slot]});
  }
}

}  // namespace tickwire
