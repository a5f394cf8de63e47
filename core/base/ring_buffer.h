// RingBuffer<T>: a queue in one block of memory that doubles when it is full and never shrinks: 24 bytes and
// nothing on the heap while it was never used, where a std::deque begins with 600. Values; no thread of its
// own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace tickwire {

template <typename T>
class RingBuffer {
 public:
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::size_t size() const { return size_; }
  // 0 is the oldest; `index` < size().
  [[nodiscard]] const T& operator[](std::size_t index) const { return slots_[place(index)]; }
  [[nodiscard]] const T& front() const { return slots_[begin_]; }

  void push_back(T value) {
    if (size_ == capacity_) grow();
    slots_[place(size_)] = std::move(value);
    ++size_;
  }
  // Not of an empty one.
  T pop_front() {
    T value = std::exchange(slots_[begin_], T());
    begin_ = static_cast<std::uint32_t>(place(1));
    --size_;
    return value;
  }

 private:
  [[nodiscard]] std::size_t place(std::size_t index) const { return (begin_ + index) & (capacity_ - 1); }
  void grow() {
    const std::uint32_t capacity = capacity_ == 0 ? 1 : 2 * capacity_;
    auto larger = std::make_unique<T[]>(capacity);
    for (std::size_t i = 0; i < size_; ++i) larger[i] = std::move(slots_[place(i)]);
    slots_ = std::move(larger);
    capacity_ = capacity;
    begin_ = 0;
  }

  std::unique_ptr<T[]> slots_;
  std::uint32_t capacity_ = 0;  // a power of two
  std::uint32_t begin_ = 0;
  std::uint32_t size_ = 0;
};

}  // namespace tickwire
