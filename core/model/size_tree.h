// SizeTree: sizes in a row, of which each can change, and what those before one add up to: both in as many
// steps as the count has bits. A Fenwick tree (Fenwick, 1994); 4 bytes a size. Sums stay below 2^32.
//
// One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace tickwire {

class SizeTree {
 public:
  SizeTree() = default;
  explicit SizeTree(std::vector<std::uint32_t> sizes) : nodes_(std::move(sizes)) {
    for (std::size_t node = 1; node <= nodes_.size(); ++node) {
      if (parent(node) <= nodes_.size()) nodes_[parent(node) - 1] += nodes_[node - 1];
    }
  }

  [[nodiscard]] std::size_t count() const { return nodes_.size(); }
  // The sum of the sizes before the one at `at`, which may be count().
  [[nodiscard]] std::uint32_t before(std::size_t at) const {
    std::uint32_t sum = 0;
    for (; at > 0; at &= at - 1) sum += nodes_[at - 1];
    return sum;
  }
  [[nodiscard]] std::uint32_t at(std::size_t at) const { return before(at + 1) - before(at); }
  [[nodiscard]] std::vector<std::uint32_t> all() const {
    std::vector<std::uint32_t> sizes = nodes_;
    for (std::size_t node = sizes.size(); node > 0; --node) {
      if (parent(node) <= sizes.size()) sizes[parent(node) - 1] -= sizes[node - 1];
    }
    return sizes;
  }

  void set(std::size_t at, std::uint32_t size) {
    const std::uint32_t change = size - this->at(at);  // modulo 2^32
    for (std::size_t node = at + 1; node <= nodes_.size(); node = parent(node)) nodes_[node - 1] += change;
  }
  void push_back(std::uint32_t size) {
    const std::size_t node = nodes_.size() + 1;
    for (std::size_t step = 1; step < (node & -node); step <<= 1U) size += nodes_[node - step - 1];
    nodes_.push_back(size);
  }

  [[nodiscard]] std::size_t memory_bytes() const { return nodes_.capacity() * sizeof(std::uint32_t); }

 private:
  // Nodes count from 1: node n has the sum of the last (n & -n) sizes up to the one at n - 1.
  static std::size_t parent(std::size_t node) { return node + (node & -node); }

  std::vector<std::uint32_t> nodes_;
};

}  // namespace tickwire
