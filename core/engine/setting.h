// Setting: one value for one key as some source gave it, not yet checked. Values; any thread.
//
// Every source spells keys in the same way, and parse_key is the one that reads them: parts joined by dots,
// as in TOML. What lies within plugins.<name> given as a table is the plugin's own and stays as it is.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>
#include "base/error.h"

namespace tickwire {

struct Setting {
  std::vector<std::string> path;  // {"server", "listen"}; {"topics", "trade", ">", "ring"}
  nlohmann::json value;           // with `text`: a string, to be read as the key's type wants
  bool text = false;
  std::string source;

  // The path joined by dots; a part that TOML cannot write bare is quoted.
  [[nodiscard]] std::string key() const;
};

// The parts of `server.listen`, `topics."trade.>".ring` or `plugins.okx.'a.b'`. A part in quotes keeps its
// dots; the quotes may be missing, as shells remove them. kBadConfig: an empty part, or a quote out of place.
Result<std::vector<std::string>> parse_key(std::string_view key);

// Every leaf of the tree; an empty object is one. The names of the tree may be keys with dots. kBadConfig.
Result<std::vector<Setting>> settings_of_tree(const nlohmann::json& tree, const std::string& source);

// Every leaf of a plugin's table, each name as it stands.
std::vector<Setting> settings_of_plugin(const std::string& plugin, const nlohmann::json& table);

// "server.listen=127.0.0.1:9000". kBadConfig: no '=' or no key.
Result<Setting> setting_of_assignment(std::string_view assignment);

// TICKWIRE_SERVER__LISTEN -> server.listen. Nothing for a name that is not TICKWIRE_<SECTION>__...: container
// platforms put names such as TICKWIRE_PORT into the environment of every process. kBadConfig.
Result<std::optional<Setting>> setting_of_environment(std::string_view name, std::string_view value);
inline constexpr std::string_view kEnvironmentPrefix = "TICKWIRE_";

}  // namespace tickwire
