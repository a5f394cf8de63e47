// Lazy<T>: a value made at first need by whoever needs it and never changed after that. Any thread; two may
// make it at the same time, the first one's stays. Owns the value.
#pragma once

#include <atomic>
#include <memory>
#include <utility>

namespace tickwire {

template <typename T>
class Lazy {
 public:
  Lazy() = default;
  ~Lazy() { delete value_.load(std::memory_order_relaxed); }
  Lazy(const Lazy&) = delete;
  Lazy& operator=(const Lazy&) = delete;

  // `make` returns a T.
  template <typename Make>
  const T& get(Make&& make) const {
    if (const T* made = value_.load(std::memory_order_acquire)) return *made;
    auto mine = std::make_unique<const T>(std::forward<Make>(make)());
    const T* current = nullptr;
    if (value_.compare_exchange_strong(current, mine.get(), std::memory_order_acq_rel))
      return *mine.release();
    return *current;
  }

 private:
  mutable std::atomic<const T*> value_ = nullptr;
};

}  // namespace tickwire
