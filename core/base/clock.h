// Clock: the seam through which the pure layers see time. Tests hand in a fake, engine/ the real one.
//
// Thread: any; an implementation must be safe to call from all threads at once.
#pragma once

#include <cstdint>

namespace tickwire {

class Clock {
 public:
  virtual ~Clock() = default;
  // Unix time in milliseconds; may step in either direction.
  [[nodiscard]] virtual std::int64_t wall_ms() const = 0;
  // Microseconds since an arbitrary start; never decreases.
  [[nodiscard]] virtual std::int64_t steady_us() const = 0;
};

}  // namespace tickwire
