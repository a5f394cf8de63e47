// Config: every setting of a server, with where each value came from. What the keys are called, their units,
// defaults and ranges stand in one table, config_keys.cc; docs/CONFIGURATION.md equals it by test.
//
// Values; no thread affinity. load_config reads the file and nothing else: the caller hands in the
// environment and the command line. Later sources win: defaults, file, environment, overrides, --set.
// Invariant: a Config from load_config is within every range, and its patterns are valid.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "hub/topic.h"

namespace tickwire {

// topics."<pattern>".*
struct TopicSettings {
  std::string delivery = "value";
  int ring = 64;
  double ring_s = 0;
  std::string history = "memory";
  double stale_after_s = 0;
};

struct Config {
  std::string listen = "127.0.0.1:8080";
  int shards = 0;  // one for each core, at most 8
  int drain_s = 5;
  int reconnect_s = 2;
  std::vector<std::string> origins{"*"};
  double fanout_load = 0.7;
  int heartbeat_s = 15;
  int behind_s = 60;
  int linger_s = 10;
  int ring_mb = 64;
  std::string store_path;
  int store_flush_ms = 250;
  std::string store_on_damage = "refuse";
  std::string auth_publish = "none";
  int auth_deadline_ms = 2000;
  std::string auth_admin_token;
  std::string admin_listen = "auto";
  std::vector<std::string> plugin_files;
  std::string plugin_python_path;
  std::string log_level = "info";

  std::map<std::string, std::string> plugins;   // plugins.<name>.*: a JSON object for each name
  std::map<std::string, TopicSettings> topics;  // by pattern; what has no source is left to other patterns
  std::string file;                             // the TOML file that was read; empty: none
  std::map<std::string, std::string> sources;   // key -> where its value came from; absent: default
};

struct ConfigSources {
  std::string file;  // path of a TOML file; empty: none
  std::vector<std::pair<std::string, std::string>>
      environment;        // name, value; only TICKWIRE_<SECTION>__... is looked at
  std::string overrides;  // a JSON object like the file (tickwire.Server), dotted keys too; empty: none
  std::vector<std::string> sets;  // "key=value" from the command line
};

// kBadConfig naming key, value and what is allowed (a file's syntax error: file:line:column).
Result<Config> load_config(const ConfigSources& sources);

// The TICKWIRE_* variables of this process.
std::vector<std::pair<std::string, std::string>> environment_settings();

// One line of `config show`.
struct ConfigEntry {
  std::string key;
  std::string value;    // as TOML spells it
  std::string unit;     // empty: none
  std::string source;   // "default", a file's path, "env TICKWIRE_...", "--set", "overrides"
  std::string allowed;  // "1 to 32", "none, open or grant"
  std::string help;
  bool secret = false;  // not to be printed
};

// Every key, in the table's order, then topics and plugins.
std::vector<ConfigEntry> config_entries(const Config& config);

// For the hub: the most specific pattern first (token for token from the left, a name before `*` before `>`).
std::vector<TopicRule> topic_rules(const Config& config);

struct ListenAddress {
  std::string host;  // without the brackets of an IPv6 address
  std::uint16_t port = 0;
};
// "host:port" or "[::1]:port"; kBadConfig, which names `key`.
Result<ListenAddress> parse_listen(std::string_view text, std::string_view key = "server.listen");

}  // namespace tickwire
