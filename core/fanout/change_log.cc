#include "fanout/change_log.h"

#include <algorithm>
#include <cassert>

namespace tickwire {
namespace {

constexpr std::size_t kGapsMin = 16;  // fewer are not worth packing

}  // namespace

std::uint64_t ChangeLog::add(TopicId topic_id, std::uint64_t before) {
  const std::uint64_t number = ++last_number_;
  chunks_[number / kChunk].slots.push_back({{number, topic_id}, false});
  remove(before);
  return number;
}

void ChangeLog::remove(std::uint64_t number) {
  if (number == 0) return;
  const auto found = chunks_.find(number / kChunk);
  assert(found != chunks_.end());
  Chunk& chunk = found->second;
  const auto slot =
      std::ranges::lower_bound(chunk.slots, number, {}, [](const Slot& s) { return s.entry.number; });
  assert(slot != chunk.slots.end() && slot->entry.number == number && !slot->gap);
  slot->gap = true;
  ++chunk.gaps;
  if (chunk.gaps == chunk.slots.size()) {
    chunks_.erase(found);
  } else if (chunk.gaps >= kGapsMin && chunk.gaps * 2 > chunk.slots.size()) {
    std::erase_if(chunk.slots, [](const Slot& s) { return s.gap; });
    chunk.slots.shrink_to_fit();
    chunk.gaps = 0;
  }
}

std::optional<ChangeLog::Entry> ChangeLog::first_after(std::uint64_t number) const {
  for (auto chunk = chunks_.lower_bound((number + 1) / kChunk); chunk != chunks_.end(); ++chunk) {
    const std::vector<Slot>& slots = chunk->second.slots;
    auto slot = std::ranges::upper_bound(slots, number, {}, [](const Slot& s) { return s.entry.number; });
    slot = std::find_if(slot, slots.end(), [](const Slot& s) { return !s.gap; });
    if (slot != slots.end()) return slot->entry;
  }
  return std::nullopt;
}

}  // namespace tickwire
