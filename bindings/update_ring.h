// UpdateRing: the updates that one reader of a client has not taken yet, and the awaitable that takes them.
//
// Each entry knows the first seq of its topic that its reader misses if the entry is dropped. The ring does
// not bound itself: who fills it (a stream, or the reader in Python) looks at is_full(). Only with the GIL.
#pragma once

#include <pybind11/pybind11.h>

#include <cstddef>
#include <cstdint>

#include "base/ring_buffer.h"

namespace tickwire {

class UpdateRing {
 public:
  // limit: so many unread updates make it full; 0: it keeps none, and is never full.
  explicit UpdateRing(std::size_t limit) : limit_(limit) {}
  ~UpdateRing() { clear(); }
  UpdateRing(const UpdateRing&) = delete;
  UpdateRing& operator=(const UpdateRing&) = delete;

  [[nodiscard]] bool empty() const { return entries_.empty(); }
  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  [[nodiscard]] bool is_full() const { return limit_ > 0 && entries_.size() >= limit_; }

  [[nodiscard]] bool keeps() const { return !closed_ && limit_ > 0; }

  void append(PyObject* update, std::uint64_t first_missed) {
    if (!keeps()) return;
    entries_.push_back({Py_NewRef(update), first_missed});
  }
  // A new reference; it may not be empty.
  PyObject* pop() { return entries_.pop_front().update; }
  // True once, after it was full and is half empty again.
  bool take_room() {
    if (!was_full_ || entries_.size() > limit_ / 2) return false;
    was_full_ = false;
    return true;
  }
  void note_full() { was_full_ = true; }
  // Nothing more is appended; what it holds can be taken.
  void close() { closed_ = true; }

  // At most `count` updates as a list, oldest first.
  pybind11::list take(std::size_t count);
  // All entries as (update, first seq missed), and it is empty.
  pybind11::list drop();

  bool touched = false;  // for who fills it: it is in a list of those that got something

 private:
  struct Entry {
    PyObject* update = nullptr;
    std::uint64_t first_missed = 0;
  };
  void clear();

  RingBuffer<Entry> entries_;
  const std::size_t limit_;
  bool was_full_ = false;
  bool closed_ = false;
};

}  // namespace tickwire
