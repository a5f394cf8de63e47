// ApplyNumbers: a set of a shard's apply numbers that is filled once and then only asked. However many there
// are, no call does more than sort kChunk of them: they lie in chunks, each sorted when it is full.
//
// Plain value.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/work.h"

namespace tickwire {

class ApplyNumbers {
 public:
  static constexpr std::size_t kChunk = 4'096;

  void add(std::uint64_t number) {
    if (chunks_.empty() || chunks_.back().size() == kChunk) chunks_.emplace_back();
    chunks_.back().push_back(number);
    if (chunks_.back().size() == kChunk) sort_last();
  }
  // After the last add(), before the first contains().
  void finish() {
    if (!chunks_.empty() && chunks_.back().size() < kChunk) sort_last();
  }
  [[nodiscard]] bool contains(std::uint64_t number) const {
    Work::count(chunks_.size() / 4);
    return std::ranges::any_of(chunks_, [number](const std::vector<std::uint64_t>& chunk) {
      return std::ranges::binary_search(chunk, number);
    });
  }

 private:
  void sort_last() {
    Work::count(chunks_.back().size() / 8);
    std::ranges::sort(chunks_.back());
  }

  std::vector<std::vector<std::uint64_t>> chunks_;
};

}  // namespace tickwire
