#include "engine/housekeeping.h"

#include <chrono>
#include <utility>

#include "base/fault.h"

namespace tickwire {

Housekeeping::Housekeeping(Hub& hub, int memory_mb, std::function<void()> also)
    : hub_(hub),
      memory_(hub, static_cast<std::uint64_t>(memory_mb) << 20U),
      also_(std::move(also)),
      thread_([this](const std::stop_token& stopping) { run(stopping); }) {}

void Housekeeping::run(const std::stop_token& stopping) {
  std::unique_lock lock(mutex_);
  while (!stopping.stop_requested()) {
    sleep_.wait_for(lock, stopping, std::chrono::seconds(1), [] { return false; });
    contained(Boundary::kHousekeeping, "a sweep over topics", [this] { hub_.sweep(); });
    contained(Boundary::kHousekeeping, "a look at the memory", [this] { memory_.look(); });
    contained(Boundary::kHousekeeping, "a look at files", also_);
  }
}

}  // namespace tickwire
