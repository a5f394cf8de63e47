#include "bridge/plugin_states.h"

#include <nlohmann/json.hpp>
#include <utility>

namespace tickwire {

void PluginStates::set(const std::string& name, PluginState state) {
  const MutexLock lock(mutex_);
  states_[name] = std::move(state);
}

std::map<std::string, PluginState> PluginStates::all() const {
  const MutexLock lock(mutex_);
  return states_;
}

std::string PluginStates::json() const {
  nlohmann::ordered_json all = nlohmann::ordered_json::object();
  for (const auto& [name, state] : this->all()) {
    all[name] = {{"state", state.state}, {"restarts", state.restarts}, {"errors", state.errors}};
  }
  return all.dump();
}

}  // namespace tickwire
