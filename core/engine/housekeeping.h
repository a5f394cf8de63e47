// Housekeeping: the small thread that does what is due once a second whether or not anybody is connected:
// topics that nobody updated for too long become stale.
//
// Made and destroyed by one thread; the destructor joins. The hub outlives it.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "hub/hub.h"

namespace tickwire {

class Housekeeping {
 public:
  explicit Housekeeping(Hub& hub);

 private:
  void run(const std::stop_token& stopping);

  Hub& hub_;
  std::mutex mutex_;
  std::condition_variable_any sleep_;
  std::jthread thread_;
};

}  // namespace tickwire
