// TopicIndex: topics by name. A flat table of hashes and pointers (open addressing, linear probing), so that
// looking up many at once can have the memory they need on its way: prefetch() all, then find() all.
//
// It never moves all topics at once, since the directory is locked for everybody meanwhile: a table that is
// half full gets a successor, and each later insert carries some kMovedAtOnce slots over. Until all are
// there, a topic that is not found in the successor is looked for in the table before.
//
// The hub's directory lock protects it. Owns nothing; a topic must outlive its entry.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "hub/topic.h"
#include "model/keyed_hash.h"

namespace tickwire {

class TopicIndex {
 public:
  static constexpr std::size_t kMovedAtOnce = 16;

  static std::size_t hash(std::string_view name) { return keyed_hash(name); }

  void prefetch(std::size_t hash) const {
    if (!table_.empty()) __builtin_prefetch(table_.home(hash));
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
    std::size_t hash;
    Topic* topic;  // null: free
  };

  // A power of two slots, or none. At least half of them are free, so that every probe ends.
  class Table {
   public:
    Table() = default;
    explicit Table(std::size_t size);

    [[nodiscard]] bool empty() const { return size_ == 0; }
    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] Slot* home(std::size_t hash) const { return &slots_[hash & (size_ - 1)]; }
    [[nodiscard]] Slot* at(std::size_t place) const { return &slots_[place]; }
    [[nodiscard]] std::size_t next(std::size_t place) const { return (place + 1) & (size_ - 1); }
    [[nodiscard]] Slot* find(std::string_view name, std::size_t hash) const;
    void put(Slot entry);
    // Frees the slot; what a probe would reach only through it moves up.
    void erase(Slot* slot);

   private:
    // The kernel gives zeroed pages when they are first touched; a vector would write all of them at once.
    struct Free {
      void operator()(Slot* slots) const { std::free(slots); }
    };

    std::unique_ptr<Slot[], Free> slots_;
    std::size_t size_ = 0;
  };

  void carry_over();

  Table table_;
  Table before_;           // what has yet to be carried over
  std::size_t place_ = 0;  // of the next slot in before_; a free one stands before it
  std::size_t left_ = 0;   // slots of before_ that have yet to be looked at
  std::size_t size_ = 0;   // topics
};

}  // namespace tickwire
