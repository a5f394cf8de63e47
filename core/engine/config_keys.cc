#include "engine/config_keys.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "engine/toml_text.h"

namespace tickwire {
namespace {

using nlohmann::json;

const std::vector<ConfigKey<Config>> kConfigKeys{
    {"server.listen", &Config::listen, "host:port", "address to serve on; port 0: any free one"},
    {"server.shards",
     &Config::shards,
     "threads",
     "loop threads that share the clients; 0: one for each core, at most 8",
     {0, 32}},
    {"server.drain_s", &Config::drain_s, "s", "time for a graceful stop", {0, 300}},
    {"server.reconnect_s",
     &Config::reconnect_s,
     "s",
     "on a drain, clients connect again at times spread over this period, to spare the next server",
     {0, 3600}},
    {"server.origins", &Config::origins, "", "web origins that may open a WebSocket; \"*\": every one"},
    {"server.fanout_load",
     &Config::fanout_load,
     "share",
     "share of a loop's time for turns under load: higher for latency, lower for less CPU",
     {0.05, 1}},
    {"server.heartbeat_s",
     &Config::heartbeat_s,
     "s",
     "silence after which a heartbeat is sent, at the latest",
     {1, 300}},
    {"server.behind_s",
     &Config::behind_s,
     "s",
     "a client that takes none of the data that waits for it for this time is closed with 1013",
     {1, 3600}},
    {"server.linger_s",
     &Config::linger_s,
     "s",
     "a topic that nobody wants is stale when its feed has not updated it for this time",
     {0, 3600}},
    {"server.ring_mb",
     &Config::ring_mb,
     "MB",
     "memory for the rings of value topics; each gets an equal share",
     {0, 65'536}},
    {"store.path", &Config::store_path, "path",
     "SQLite file that keeps the images across restarts; empty: in memory only"},
    {"store.flush_ms", &Config::store_flush_ms, "ms", "time between two writes to the store", {10, 60'000}},
    {"store.on_damage",
     &Config::store_on_damage,
     "",
     "what a start does with a damaged file: refuse to start, or set it aside under a new name",
     {},
     {"refuse", "start-empty"}},
    {"auth.publish",
     &Config::auth_publish,
     "",
     "who may publish over the wire: nobody, everybody, or whom an authorizer allows",
     {},
     {"none", "open", "grant"}},
    {"auth.deadline_ms",
     &Config::auth_deadline_ms,
     "ms",
     "time for an authorizer or authenticator to answer; late means unavailable",
     {1, 60'000}},
    {"auth.admin_token",
     &Config::auth_admin_token,
     "",
     "the token for an admin listener at host:port; not needed for a socket",
     {},
     {},
     true},
    {"admin.listen", &Config::admin_listen, "",
     "where the admin listener listens: auto, off, a socket's path, or host:port"},
    {"plugins.files", &Config::plugin_files, "", "plugins to load: Python files or module names"},
    {"plugins.python_path", &Config::plugin_python_path, "path",
     "folder of Python packages for tickwired; empty: that of the environment it was installed in"},
    {"log.level",
     &Config::log_level,
     "",
     "lowest severity that is logged",
     {},
     {"debug", "info", "warning", "error", "off"}},
};

const std::vector<ConfigKey<TopicSettings>> kTopicKeys{
    {"delivery",
     &TopicSettings::delivery,
     "",
     "value: only the latest state matters; event: every message does",
     {},
     {"value", "event"}},
    {"ring", &TopicSettings::ring, "updates", "last updates kept for clients that were away", {0, 65'536}},
    {"ring_s", &TopicSettings::ring_s, "s", "age at which the ring drops an update; 0: never", {0, 604'800}},
    {"history",
     &TopicSettings::history,
     "",
     "where the ring is kept: stored survives a restart (needs store.path)",
     {},
     {"memory", "stored"}},
    {"stale_after_s",
     &TopicSettings::stale_after_s,
     "s",
     "age of the last update that makes a topic stale; 0: never",
     {0, 604'800}},
};

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
  return right_type && value.template get<double>() >= key.range.min &&
         value.template get<double>() <= key.range.max;
}

}  // namespace

const std::vector<ConfigKey<Config>>& config_keys() {
  return kConfigKeys;
}

const std::vector<ConfigKey<TopicSettings>>& topic_keys() {
  return kTopicKeys;
}

template <typename Owner>
std::string allowed_values(const ConfigKey<Owner>& key) {
  if (holds<Owner, int>(key)) return fmt::format("an integer from {} to {}", key.range.min, key.range.max);
  if (holds<Owner, double>(key)) return fmt::format("a number from {} to {}", key.range.min, key.range.max);
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
