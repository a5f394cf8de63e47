// PluginStates: how each plugin fares, as GET /health shows it.
//
// Any thread. A map with a lock.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/mutex.h"

namespace tickwire {

struct PluginState {
  std::string state;  // running, backoff, finished, stopped
  std::uint64_t restarts = 0;
  std::uint64_t errors = 0;
};

class PluginStates {
 public:
  void set(const std::string& name, PluginState state);
  [[nodiscard]] std::map<std::string, PluginState> all() const;
  // {"coinbase":{"state":"running","restarts":0,"errors":0}}
  [[nodiscard]] std::string json() const;

 private:
  mutable Mutex mutex_;
  std::map<std::string, PluginState> states_ GUARDED_BY(mutex_);
};

}  // namespace tickwire
