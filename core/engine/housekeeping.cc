#include "engine/housekeeping.h"

#include <chrono>

#include "base/fault.h"

namespace tickwire {

Housekeeping::Housekeeping(Hub& hub)
    : hub_(hub), thread_([this](const std::stop_token& stopping) { run(stopping); }) {}

void Housekeeping::run(const std::stop_token& stopping) {
  std::unique_lock lock(mutex_);
  while (!stopping.stop_requested()) {
    sleep_.wait_for(lock, stopping, std::chrono::seconds(1), [] { return false; });
    contained(Boundary::kHousekeeping, "a sweep over topics", [this] { hub_.sweep(); });
  }
}

}  // namespace tickwire
