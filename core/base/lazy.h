// Lazy<T>: a value made at first need by whoever needs it and never changed after that. Any thread; two may
// make it at the same time, the first one's stays. Owns the value, whose type may derive from T.
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

  [[nodiscard]] bool made() const { return value_.load(std::memory_order_acquire) != nullptr; }
  // `make` returns a Made: the same type at each call.
  template <typename Made = T, typename Make>
  const Made& get(Make&& make) const {
    if (const T* made = value_.load(std::memory_order_acquire)) return static_cast<const Made&>(*made);
    std::unique_ptr<const Made> mine(new const Made(std::forward<Make>(make)()));  // Made may be unmovable
    const T* current = nullptr;
    if (value_.compare_exchange_strong(current, mine.get(), std::memory_order_acq_rel))
      return *mine.release();
    return static_cast<const Made&>(*current);
  }

 private:
  mutable std::atomic<const T*> value_ = nullptr;
};

}  // namespace tickwire
