// TopicIndex: topics by name. A flat table of hashes and pointers (open addressing, linear probing), so that
// looking up many at once can have the memory they need on its way: prefetch() all, then find() all.
//
// The hub's directory lock protects it. Owns nothing; a topic must outlive its entry.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "hub/topic.h"
#include "model/keyed_hash.h"

namespace tickwire {

class TopicIndex {
 public:
  static std::size_t hash(std::string_view name) { return keyed_hash(name); }

  void prefetch(std::size_t hash) const {
    if (!slots_.empty()) __builtin_prefetch(&slots_[hash & (slots_.size() - 1)]);
  }
  // Null: not there. `hash` is that of `name`.
  [[nodiscard]] Topic* find(std::string_view name, std::size_t hash) const;
  [[nodiscard]] Topic* find(std::string_view name) const { return find(name, hash(name)); }
  [[nodiscard]] std::size_t size() const { return size_; }

  // `topic` must not be there yet.
  void insert(Topic& topic);
  // `topic` must be there.
  void erase(const Topic& topic);

 private:
  struct Slot {
    std::size_t hash = 0;
    Topic* topic = nullptr;  // null: free
  };
  [[nodiscard]] std::size_t next(std::size_t slot) const { return (slot + 1) & (slots_.size() - 1); }
  void put(Slot entry);

  std::vector<Slot> slots_;  // none, or a power of two; at most half of them taken
  std::size_t size_ = 0;
};

}  // namespace tickwire
