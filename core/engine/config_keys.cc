#include "engine/config_keys.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "engine/toml_text.h"

namespace tickwire {
namespace {

using nlohmann::json;

template <typename Owner, typename Value>
bool holds(const ConfigKey<Owner>& key) {
  return std::holds_alternative<Value Owner::*>(key.member);
}

bool is_string_list(const json& value) {
  return value.is_array() && std::ranges::all_of(value, [](const json& item) { return item.is_string(); });
}

template <typename Owner>
bool fits(const ConfigKey<Owner>& key, const json& value) {
  if (holds<Owner, std::vector<std::string>>(key)) return is_string_list(value);
  if (holds<Owner, std::string>(key)) {
    if (!value.is_string()) return false;
    return key.choices.empty() ||
           std::ranges::find(key.choices, value.template get<std::string>()) != key.choices.end();
  }
  const bool right_type = holds<Owner, int>(key) ? value.is_number_integer() : value.is_number();
  return right_type && value.template get<double>() >= key.min && value.template get<double>() <= key.max;
}

}  // namespace

const std::vector<ConfigKey<Config>>& config_keys() {
  static const std::vector<ConfigKey<Config>> keys{
      {"server.listen", &Config::listen, "host:port", 0, 0, {}, "address to serve on; port 0: any free one"},
      {"server.shards", &Config::shards, "threads", 1, 32, {}, "loop threads that share the clients"},
      {"server.drain_s", &Config::drain_s, "s", 0, 300, {}, "time for a graceful stop"},
      {"server.origins",
       &Config::origins,
       "",
       0,
       0,
       {},
       "web origins that may open a WebSocket; \"*\": every one"},
      {"server.fanout_load",
       &Config::fanout_load,
       "share",
       0.05,
       1,
       {},
       "share of a loop's time for turns under load: higher for latency, lower for less CPU"},
      {"server.heartbeat_s",
       &Config::heartbeat_s,
       "s",
       1,
       300,
       {},
       "silence after which a heartbeat is sent"},
      {"server.behind_s",
       &Config::behind_s,
       "s",
       1,
       3600,
       {},
       "a client that cannot take what it is owed for so long is closed with 1013"},
      {"store.path",
       &Config::store_path,
       "path",
       0,
       0,
       {},
       "SQLite file that keeps the images across restarts; empty: in memory only"},
      {"store.flush_ms",
       &Config::store_flush_ms,
       "ms",
       10,
       60'000,
       {},
       "time between two writes to the store"},
      {"auth.publish",
       &Config::auth_publish,
       "",
       0,
       0,
       {"none", "open", "grant"},
       "who may publish over the wire: nobody, everybody, or whom an authorizer allows"},
      {"auth.deadline_ms",
       &Config::auth_deadline_ms,
       "ms",
       1,
       60'000,
       {},
       "time for an authorizer or authenticator to answer; late means deny"},
      {"plugins.files", &Config::plugin_files, "", 0, 0, {}, "plugins to load: Python files or module names"},
      {"plugins.python_path",
       &Config::plugin_python_path,
       "path",
       0,
       0,
       {},
       "folder of the Python packages for tickwired; empty: those of the environment it was installed in"},
      {"log.level",
       &Config::log_level,
       "",
       0,
       0,
       {"debug", "info", "warning", "error", "off"},
       "least severity that is logged"},
  };
  return keys;
}

const std::vector<ConfigKey<TopicSettings>>& topic_keys() {
  static const std::vector<ConfigKey<TopicSettings>> keys{
      {"delivery",
       &TopicSettings::delivery,
       "",
       0,
       0,
       {"value", "event"},
       "value: only the latest state matters; event: every message does"},
      {"ring",
       &TopicSettings::ring,
       "updates",
       1,
       65'536,
       {},
       "last updates kept for clients that were away"},
      {"stale_after_s",
       &TopicSettings::stale_after_s,
       "s",
       0,
       604'800,
       {},
       "age of the last update that makes a topic stale; 0: never"},
  };
  return keys;
}

template <typename Owner>
std::string allowed_values(const ConfigKey<Owner>& key) {
  if (holds<Owner, int>(key)) return fmt::format("an integer from {} to {}", key.min, key.max);
  if (holds<Owner, double>(key)) return fmt::format("a number from {} to {}", key.min, key.max);
  if (holds<Owner, std::vector<std::string>>(key)) return "an array of strings";
  return key.choices.empty() ? "a string" : fmt::format("one of {}", fmt::join(key.choices, ", "));
}

template <typename Owner>
json read_value(const ConfigKey<Owner>& key, const Owner& owner) {
  return std::visit([&owner](auto member) { return json(owner.*member); }, key.member);
}

template <typename Owner>
bool write_value(const ConfigKey<Owner>& key, Owner& owner, const json& value) {
  if (!fits(key, value)) return false;
  std::visit([&](auto member) { value.get_to(owner.*member); }, key.member);
  return true;
}

template <typename Owner>
json value_of_text(const ConfigKey<Owner>& key, const std::string& text) {
  const std::optional<json> parsed = parse_toml_value(text);
  if (holds<Owner, std::string>(key)) return parsed && parsed->is_string() ? *parsed : json(text);
  if (!holds<Owner, std::vector<std::string>>(key)) return parsed ? *parsed : json(text);
  if (parsed && parsed->is_array()) return *parsed;
  return json::array({parsed && parsed->is_string() ? *parsed : json(text)});
}

template std::string allowed_values(const ConfigKey<Config>&);
template std::string allowed_values(const ConfigKey<TopicSettings>&);
template json read_value(const ConfigKey<Config>&, const Config&);
template json read_value(const ConfigKey<TopicSettings>&, const TopicSettings&);
template bool write_value(const ConfigKey<Config>&, Config&, const json&);
template bool write_value(const ConfigKey<TopicSettings>&, TopicSettings&, const json&);
template json value_of_text(const ConfigKey<Config>&, const std::string&);
template json value_of_text(const ConfigKey<TopicSettings>&, const std::string&);

}  // namespace tickwire
