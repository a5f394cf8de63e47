// SlotTable: numbers by the hash of what they stand for; the caller says whether a number is the right one.
// Open addressing with linear probing, 8 bytes an entry, at most three quarters of them taken.
//
// One thread at a time. Hashes of texts that clients choose must come from keyed_hash.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace tickwire {

class SlotTable {
 public:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  SlotTable() = default;
  // With room for `count` entries.
  explicit SlotTable(std::size_t count) : entries_(entries_for(count)) {}

  // The slot under `hash` for which same(slot) holds, or kNone.
  template <typename Same>
  [[nodiscard]] std::uint32_t find(std::uint64_t hash, const Same& same) const {
    if (entries_.empty()) return kNone;
    const auto tag = static_cast<std::uint32_t>(hash);
    for (std::size_t at = home(tag); entries_[at].slot != kNone; at = next(at)) {
      if (entries_[at].tag == tag && same(entries_[at].slot)) return entries_[at].slot;
    }
    return kNone;
  }

  // `slot` must not be in it, and not be kNone.
  void insert(std::uint64_t hash, std::uint32_t slot);
  // `slot` must be in it, under `hash`.
  void erase(std::uint64_t hash, std::uint32_t slot);
  // Each slot becomes numbers[slot]; memory beyond what they need is given back.
  void renumber(const std::vector<std::uint32_t>& numbers);

  [[nodiscard]] std::size_t memory_bytes() const { return entries_.capacity() * sizeof(Entry); }

 private:
  struct Entry {
    std::uint32_t tag = 0;       // lower half of the hash
    std::uint32_t slot = kNone;  // kNone: free
  };
  static std::size_t entries_for(std::size_t count);
  [[nodiscard]] std::size_t home(std::uint32_t tag) const { return tag & (entries_.size() - 1); }
  [[nodiscard]] std::size_t next(std::size_t at) const { return (at + 1) & (entries_.size() - 1); }
  void put(Entry entry);

  std::vector<Entry> entries_;  // none, or a power of two
  std::size_t size_ = 0;
};

}  // namespace tickwire
