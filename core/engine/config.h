// Config: every setting of a server, typed, with where each value came from. What the keys are called, their
// units and ranges stand in one table, config_keys.cc. A default stands once: here, or in the layer that uses
// it, from where it is taken. docs/CONFIGURATION.md equals both by test.
//
// Values; no thread affinity. load_config reads the file and those of secrets, keys and TLS, and nothing
// else: the caller hands in the environment and the command line. Later sources win: defaults, file,
// environment, overrides, --set. Invariant: a Config from load_config is within every range, and its patterns
// are valid.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "access/token_verifier.h"
#include "base/error.h"
#include "cluster/member.h"
#include "engine/config_values.h"
#include "engine/limits.h"
#include "fanout/shard_config.h"
#include "hub/hub.h"
#include "hub/topic.h"

namespace tickwire {

using ExactSeconds = std::chrono::duration<double>;

// topics."<pattern>".*
struct TopicSettings {
  Delivery delivery = TopicTraits{}.delivery;
  int ring = static_cast<int>(TopicTraits{}.ring);
  ExactSeconds ring_age{};  // 0: no limit
  History history = History::kMemory;
  ExactSeconds stale_after{};  // 0: never
};

struct Config : Limits {
  bool echo = false;
  OneOrMore listen{{"127.0.0.1:8080"}};
  int shards = 0;  // one for each core, at most 8
  std::chrono::seconds drain{5};
  std::chrono::seconds reconnect{2};
  std::vector<std::string> hosts;
  std::vector<std::string> origins = NetConfig{}.origins;
  std::vector<std::string> trusted_proxies;
  ProxyHeader proxy_header = ProxyHeader::kNone;
  double fanout_load = ShardConfig{}.fanout_load;
  std::chrono::seconds heartbeat{SessionConfig{}.heartbeat_s};
  std::chrono::seconds behind{ShardConfig{}.behind_ms_max / 1'000};
  std::chrono::seconds linger{kLingerUsDefault / 1'000'000};
  int ring_mb = static_cast<int>(kRingBytesMaxDefault >> 20U);
  std::string tls_certificate;
  std::string tls_key;
  TlsVersion tls_min_version = TlsVersion::k12;
  std::string store_path;
  std::chrono::milliseconds store_flush{250};
  OnDamage store_on_damage = OnDamage::kRefuse;
  Secret cluster_url;  // also where it came from a file; empty: the server is alone
  std::string cluster_url_file;
  std::string cluster_name = "tickwire";
  std::chrono::seconds cluster_loss{cluster::MemberRules{}.loss_us / 1'000'000};
  int cluster_log_mb = static_cast<int>(cluster::CheckpointRules{}.log_bytes >> 20U);
  std::chrono::seconds cluster_log{cluster::CheckpointRules{}.log_us / 1'000'000};
  std::chrono::milliseconds cluster_checkpoint{cluster::CheckpointRules{}.every_us / 1'000};
  int cluster_outbox_mb = static_cast<int>(cluster::kOutboxBytesMaxDefault >> 20U);
  PublishPolicy auth_publish = PublishPolicy::kNone;
  std::chrono::milliseconds auth_deadline{ShardConfig{}.access_deadline_ms};
  std::string auth_token_cookie;
  std::vector<std::string> auth_client_headers;
  std::vector<std::string> auth_client_cookies;
  std::vector<std::string> auth_public;
  std::vector<std::string> auth_jwt_keys;
  Secret auth_jwt_secret;  // also where it came from a file
  std::string auth_jwt_secret_file;
  std::string auth_jwt_issuer;
  std::string auth_jwt_audience;
  std::chrono::seconds auth_jwt_leeway{10};
  std::chrono::seconds auth_jwt_max_age{TokenRules{}.max_age_s};
  std::string auth_jwt_claim = TokenRules{}.claim;
  Secret auth_admin_token;  // also where it came from a file
  std::string auth_admin_token_file;
  std::string admin_listen = "auto";
  std::vector<std::string> plugin_files;
  std::string plugin_python_path;
  LogLevel log_level = LogLevel::kInfo;

  std::map<std::string, std::string> plugins;   // plugins.<name>.*: a JSON object for each name
  std::map<std::string, TopicSettings> topics;  // by pattern; what has no source is left to other patterns
  std::string file;                             // the TOML file that was read; empty: none
  std::map<std::string, std::string> sources;   // key -> where its value came from; absent: default
  std::vector<std::string> warnings;            // for the log: what works, but should be otherwise
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
  std::string value;    // as TOML spells it; of a secret "***", or "" where it is empty
  std::string unit;     // empty: none
  std::string source;   // "default", a file's path, "env TICKWIRE_...", "--set", "overrides"
  std::string allowed;  // "1 to 32", "none, open or grant"
  std::string help;
};

// Every key, in the table's order, then topics and plugins.
std::vector<ConfigEntry> config_entries(const Config& config);
// The error of a key, with where its value came from in front.
Error with_source(const Config& config, Error error);

// For the hub: the most specific pattern first (token for token from the left, a name before `*` before `>`).
std::vector<TopicRule> topic_rules(const Config& config);

// "host:port" or "[::1]:port", with http:// or https:// in front, and "?proxy=required" or "?proxy=off"
// behind; kBadConfig, which names `key`.
Result<ListenAddress> parse_listen(std::string_view text, std::string_view key = "server.listen");
// All of server.listen; kBadConfig.
Result<std::vector<ListenAddress>> parse_listens(const Config& config);

}  // namespace tickwire
