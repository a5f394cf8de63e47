// SystemClock: the Clock of a real server. Any thread.
#pragma once

#include <chrono>

#include "base/clock.h"

namespace tickwire {

class SystemClock final : public Clock {
 public:
  [[nodiscard]] std::int64_t wall_ms() const override {
    return since_start<std::chrono::system_clock, std::milli>();
  }
  [[nodiscard]] std::int64_t steady_us() const override {
    return since_start<std::chrono::steady_clock, std::micro>();
  }

 private:
  template <typename Source, typename Unit>
  static std::int64_t since_start() {
    return std::chrono::duration_cast<std::chrono::duration<std::int64_t, Unit>>(
               Source::now().time_since_epoch())
        .count();
  }
};

}  // namespace tickwire
