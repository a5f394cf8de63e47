#include "bridge/plugin_states.h"

#include <nlohmann/json.hpp>
#include <utility>

namespace tickwire {

void PluginStates::set(const std::string& name, PluginState state) {
  const std::scoped_lock lock(mutex_);
  states_[name] = std::move(state);
}

std::string PluginStates::json() const {
  nlohmann::ordered_json all = nlohmann::ordered_json::object();
  const std::scoped_lock lock(mutex_);
  for (const auto& [name, state] : states_) {
    all[name] = {{"state", state.state}, {"restarts", state.restarts}, {"errors", state.errors}};
  }
  return all.dump();
}

}  // namespace tickwire
