// A clock that a test sets by hand.
#pragma once

#include "base/clock.h"

namespace tickwire {

class FakeClock final : public Clock {
 public:
  [[nodiscard]] std::int64_t wall_ms() const override { return wall_ms_; }
  [[nodiscard]] std::int64_t steady_us() const override { return steady_us_; }
  void advance_ms(std::int64_t ms) {
    wall_ms_ += ms;
    steady_us_ += ms * 1000;
  }
  void set_wall_ms(std::int64_t ms) { wall_ms_ = ms; }

 private:
  std::int64_t wall_ms_ = 1'790'000'000'000;
  std::int64_t steady_us_ = 1'000'000;
};

}  // namespace tickwire
