// What the bridge's tests need of the world around it: a clock that stands, and a sink that wants topics.
#pragma once

#include "base/clock.h"
#include "hub/update_sink.h"

namespace tickwire {

class StandingClock final : public Clock {
 public:
  [[nodiscard]] std::int64_t wall_ms() const override { return 1'790'000'000'000; }
  [[nodiscard]] std::int64_t steady_us() const override { return 0; }
};

class NullSink final : public UpdateSink {
 public:
  void deliver(const UpdatePtr& /*update*/) override {}
};

}  // namespace tickwire
