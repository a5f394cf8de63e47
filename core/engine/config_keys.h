// The one table of configuration keys, and how a value gets into a Config and out of it as its row says.
//
// A row's default is the member's initial value in config.h; what is allowed follows from the member's type,
// and of numbers from the range. A secret has a second row, `<name>_file`. No state; any thread.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>
#include "base/error.h"
#include "engine/config.h"

namespace tickwire {

struct NumberRange {
  double min = 0;
  double max = 0;
};

template <typename Owner>
struct ConfigKey {
  std::string_view name;
  std::variant<bool Owner::*, int Owner::*, double Owner::*, std::chrono::seconds Owner::*,
               std::chrono::milliseconds Owner::*, ExactSeconds Owner::*, std::string Owner::*,
               std::vector<std::string> Owner::*, OneOrMore Owner::*, TlsVersion Owner::*, Secret Owner::*,
               Delivery Owner::*, History Owner::*, OnDamage Owner::*, PublishPolicy Owner::*,
               LogLevel Owner::*, ProxyHeader Owner::*>
      member;
  std::string_view unit;
  std::string_view help;
  NumberRange range{};  // of a number
  [[nodiscard]] bool is_secret() const { return std::holds_alternative<Secret Owner::*>(member); }
};

const std::vector<ConfigKey<Config>>& config_keys();
const std::vector<ConfigKey<TopicSettings>>& topic_keys();  // of topics."<pattern>"

// "an integer from 1 to 32", "one of none, open, grant".
template <typename Owner>
std::string allowed_values(const ConfigKey<Owner>& key);

// Reveals a secret.
template <typename Owner>
nlohmann::json read_value(const ConfigKey<Owner>& key, const Owner& owner);

// False, and no change: `value` is not among the allowed ones.
template <typename Owner>
bool write_value(const ConfigKey<Owner>& key, Owner& owner, const nlohmann::json& value);

// Reads a text from the environment or --set: as TOML when that gives the key's type, else as it stands.
template <typename Owner>
nlohmann::json value_of_text(const ConfigKey<Owner>& key, const std::string& text);

}  // namespace tickwire
