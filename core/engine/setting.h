// Setting: one value for one key as some source gave it, not yet checked. Values; any thread.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>
#include "base/error.h"

namespace tickwire {

struct Setting {
  std::vector<std::string> path;  // {"topics", "trade.>", "ring"}; {"server.listen"} when written with dots
  nlohmann::json value;           // with `text`: a string, to be read as the key's type wants
  bool text = false;
  std::string source;

  [[nodiscard]] std::string key() const;  // the path joined by dots
};

// Every leaf of the tree; an empty object is one.
std::vector<Setting> settings_of_tree(const nlohmann::json& tree, const std::string& source);

// "server.listen=127.0.0.1:9000". kBadConfig: no '=' or no key. Quotes around a part of the key may be
// missing, as shells remove them.
Result<Setting> setting_of_assignment(std::string_view assignment);

// TICKWIRE_SERVER__LISTEN -> server.listen.
Setting setting_of_environment(std::string_view name, std::string_view value);
inline constexpr std::string_view kEnvironmentPrefix = "TICKWIRE_";
// With that prefix, too, but for those who connect to a server.
inline constexpr std::array<std::string_view, 2> kClientVariables{"TICKWIRE_URL", "TICKWIRE_TOKEN"};

}  // namespace tickwire
