// Housekeeping: the small thread that does what is due once a second whether or not anybody is connected:
// topics that nobody updated for too long become stale, the memory is measured, and what else it is given.
//
// Made and destroyed by one thread; the destructor joins. The hub outlives it.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "engine/memory_watch.h"
#include "hub/hub.h"

namespace tickwire {

class Housekeeping {
 public:
  // `memory_mb` 0: as MemoryWatch says.
  Housekeeping(Hub& hub, int memory_mb, std::function<void()> also);
  [[nodiscard]] const MemoryWatch& memory() const { return memory_; }

 private:
  void run(const std::stop_token& stopping);

  Hub& hub_;
  MemoryWatch memory_;
  const std::function<void()> also_;
  std::mutex mutex_;
  std::condition_variable_any sleep_;
  std::jthread thread_;
};

}  // namespace tickwire
