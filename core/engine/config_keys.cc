#include "engine/config_keys.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <type_traits>

#include "engine/limit_keys.h"
#include "engine/toml_text.h"

namespace tickwire {
namespace {

using nlohmann::json;

const std::vector<ConfigKey<Config>> kConfigKeys{
    {"server.listen", &Config::listen, "host:port",
     "addresses to serve on, http://host:port (also without http://) or https://host:port; port 0: any free "
     "one; ?proxy=required behind it: the PROXY protocol comes first"},
    {"server.shards",
     &Config::shards,
     "threads",
     "loop threads that share the clients; 0: one for each core, at most 8",
     {0, 32}},
    {"server.drain_s", &Config::drain, "s", "time for a graceful stop", {0, 300}},
    {"server.reconnect_s",
     &Config::reconnect,
     "s",
     "on a drain, clients connect again at times spread over this period, to spare the next server",
     {0, 3600}},
    {"server.hosts", &Config::hosts, "",
     "names in Host that are served, also \"*.a.example\"; empty: any, and at loopback only names of "
     "loopback"},
    {"server.origins", &Config::origins, "",
     "web origins whose pages may use the server: \"same-host\", \"https://a.example\", "
     "\"https://*.a.example\", \"null\", or \"*\" for every one"},
    {"server.trusted_proxies", &Config::trusted_proxies, "",
     "proxies in front that are believed who their client is: addresses, and networks such as "
     "\"10.0.0.0/8\""},
    {"server.proxy_header", &Config::proxy_header, "", "the header in which they say it"},
    {"server.echo", &Config::echo, "",
     "serve /echo, which sends WebSocket messages back, for suites that test WebSocket servers"},
    {"server.fanout_load",
     &Config::fanout_load,
     "share",
     "share of a loop's time for turns under load: higher for latency, lower for less CPU",
     {0.05, 1}},
    {"server.heartbeat_s",
     &Config::heartbeat,
     "s",
     "silence after which a heartbeat is sent, at the latest",
     {1, 300}},
    {"server.behind_s",
     &Config::behind,
     "s",
     "a client that takes none of the data that waits for it for this time is closed with 1013",
     {1, 3600}},
    {"server.linger_s",
     &Config::linger,
     "s",
     "a topic that nobody wants is stale when its feed has not updated it for this time",
     {0, 3600}},
    {"server.ring_mb",
     &Config::ring_mb,
     "MB",
     "memory for the rings of value topics; each gets an equal share",
     {0, 65'536}},
    {"tls.certificate", &Config::tls_certificate, "path",
     "PEM file of the certificate for https:// addresses, followed by those that lead to its issuer's"},
    {"tls.key", &Config::tls_key, "path", "PEM file of the certificate's private key, without a passphrase"},
    {"tls.min_version", &Config::tls_min_version, "", "oldest version of TLS that is spoken"},
    {"store.path", &Config::store_path, "path",
     "SQLite file that keeps the images across restarts; empty: in memory only"},
    {"store.flush_ms", &Config::store_flush, "ms", "time between two writes to the store", {10, 60'000}},
    {"store.on_damage", &Config::store_on_damage, "",
     "what a start does with a damaged file: refuse to start, or set it aside under a new name"},
    {"cluster.url", &Config::cluster_url, "",
     "the Redis that servers share to be one, redis://[[user]:password@]host[:port][/database]; empty: this "
     "server is alone"},
    {"cluster.url_file", &Config::cluster_url_file, "path", "file that holds cluster.url, in one line"},
    {"cluster.name", &Config::cluster_name, "",
     "tells the clusters of one Redis apart; the same on all servers of a cluster"},
    {"cluster.loss_s",
     &Config::cluster_loss,
     "s",
     "time without Redis after which topics are stale and nothing is published",
     {1, 60}},
    {"cluster.log_s",
     &Config::cluster_log,
     "s",
     "how long the log is kept, for servers that were away and for rings of those that join",
     {1, 3600}},
    {"cluster.log_mb",
     &Config::cluster_log_mb,
     "MB",
     "size of the log past which it is cut sooner",
     {1, 4096}},
    {"cluster.checkpoint_ms",
     &Config::cluster_checkpoint,
     "ms",
     "time between two writes of changed topics to Redis",
     {100, 60'000}},
    {"cluster.outbox_mb",
     &Config::cluster_outbox_mb,
     "MB",
     "updates of this server that wait for Redis; past it, publishing is refused",
     {1, 4096}},
    {"auth.publish", &Config::auth_publish, "",
     "who may publish over the wire: nobody, everybody, or whom a token or an authorizer allows"},
    {"auth.deadline_ms",
     &Config::auth_deadline,
     "ms",
     "time for an authorizer or authenticator to answer; late means unavailable",
     {1, 60'000}},
    {"auth.token_cookie", &Config::auth_token_cookie, "",
     "cookie that holds the token of a page that server.origins allows by name; empty: none does"},
    {"auth.client_headers", &Config::auth_client_headers, "",
     "headers of a client's request that plugins see in client.headers"},
    {"auth.client_cookies", &Config::auth_client_cookies, "",
     "cookies that plugins see in client.cookies, of pages that server.origins allows by name"},
    {"auth.public", &Config::auth_public, "",
     "topics and patterns that need no token, where auth.jwt is set: all others do"},
    {"auth.jwt.keys", &Config::auth_jwt_keys, "path",
     "files of the public keys that tokens are checked with: PEM, or a JSON Web Key Set; of a set also its "
     "https:// address"},
    {"auth.jwt.secret", &Config::auth_jwt_secret, "",
     "the secret of tokens that are signed with HS256, at least 32 bytes"},
    {"auth.jwt.secret_file", &Config::auth_jwt_secret_file, "path",
     "file that holds auth.jwt.secret, in one line"},
    {"auth.jwt.issuer", &Config::auth_jwt_issuer, "", "what iss of a token must be; empty: anything"},
    {"auth.jwt.audience", &Config::auth_jwt_audience, "",
     "what aud of a token must name; empty: only tokens without an aud are taken"},
    {"auth.jwt.leeway_s",
     &Config::auth_jwt_leeway,
     "s",
     "by how much the clocks of the server and of the issuer may differ",
     {0, 300}},
    {"auth.jwt.max_age_s",
     &Config::auth_jwt_max_age,
     "s",
     "how long a token may be valid, from its iat and from now on; so long a revocation is kept",
     {1, 31'536'000}},
    {"auth.jwt.claim", &Config::auth_jwt_claim, "", "the claim that says what a token's bearer may do"},
    {"auth.admin_token", &Config::auth_admin_token, "",
     "the token for an admin listener at host:port; not needed for a socket"},
    {"auth.admin_token_file", &Config::auth_admin_token_file, "path",
     "file that holds auth.admin_token, in one line"},
    {"admin.listen", &Config::admin_listen, "",
     "where the admin listener listens: auto, off, a socket's path, or host:port"},
    {"plugins.files", &Config::plugin_files, "", "plugins to load: Python files or module names"},
    {"plugins.python_path", &Config::plugin_python_path, "path",
     "folder of Python packages for tickwired; empty: that of the environment it was installed in"},
    {"log.level", &Config::log_level, "", "lowest severity that is logged"},
};

const std::vector<ConfigKey<TopicSettings>> kTopicKeys{
    {"delivery", &TopicSettings::delivery, "",
     "value: only the latest state matters; event: every message does"},
    {"ring", &TopicSettings::ring, "updates", "last updates kept for clients that were away", {0, 65'536}},
    {"ring_s",
     &TopicSettings::ring_age,
     "s",
     "age at which the ring drops an update; 0: never",
     {0, 604'800}},
    {"history", &TopicSettings::history, "",
     "where the ring is kept: stored survives a restart (needs store.path)"},
    {"stale_after_s",
     &TopicSettings::stale_after,
     "s",
     "age of the last update that makes a topic stale; 0: never",
     {0, 604'800}},
};

template <typename Value>
concept IsEnum = std::is_enum_v<Value>;
template <typename Value>
concept IsWhole = std::is_same_v<Value, int> || std::is_same_v<Value, std::chrono::seconds> ||
                  std::is_same_v<Value, std::chrono::milliseconds>;
template <typename Value>
concept IsNumber = IsWhole<Value> || std::is_same_v<Value, double> || std::is_same_v<Value, ExactSeconds>;
template <typename Value>
concept IsText = std::is_same_v<Value, std::string> || std::is_same_v<Value, Secret>;

// Calls `work` with a null pointer to the type of the key's value.
template <typename Owner, typename Work>
auto with_type(const ConfigKey<Owner>& key, Work work) {
  return std::visit(
      [&work]<typename Value>(Value Owner::* /*member*/) { return work(std::type_identity<Value>()); },
      key.member);
}

json json_of(const auto& value) {
  return value;
}
json json_of(const Secret& value) {
  return value.reveal();
}
json json_of(const OneOrMore& value) {
  return value.texts.size() == 1 ? json(value.texts.front()) : json(value.texts);
}
json json_of(const IsEnum auto& value) {
  return config_name(value);
}
template <typename Number, typename Period>
json json_of(const std::chrono::duration<Number, Period>& value) {
  return value.count();
}

// False: `value` is of another type, or not one of the names.
bool take(const json& value, auto& out) {
  out = value.get<std::remove_reference_t<decltype(out)>>();
  return true;
}
bool take(const json& value, std::vector<std::string>& out) {
  if (!value.is_array() || !std::ranges::all_of(value, [](const json& item) { return item.is_string(); })) {
    return false;
  }
  value.get_to(out);
  return true;
}
bool take(const json& value, bool& out) {
  if (value.is_boolean()) value.get_to(out);
  return value.is_boolean();
}
bool take(const json& value, OneOrMore& out) {
  const json list = value.is_string() ? json::array({value}) : value;
  return !list.empty() && take(list, out.texts);
}
bool take(const json& value, std::string& out) {
  if (value.is_string()) value.get_to(out);
  return value.is_string();
}
bool take(const json& value, Secret& out) {
  if (value.is_string()) out = Secret(value.get<std::string>());
  return value.is_string();
}
template <IsEnum Enum>
bool take(const json& value, Enum& out) {
  if (!value.is_string()) return false;
  const auto& names = Names<Enum>::kAll;
  const auto* const found = std::ranges::find(names, value.get_ref<const std::string&>());
  if (found == names.end()) return false;
  out = static_cast<Enum>(found - names.begin());
  return true;
}
template <typename Number, typename Period>
bool take(const json& value, std::chrono::duration<Number, Period>& out) {
  out = std::chrono::duration<Number, Period>(value.get<Number>());
  return true;
}

bool is_within(const json& value, const NumberRange& range, bool whole) {
  if (whole ? !value.is_number_integer() : !value.is_number()) return false;
  return value.get<double>() >= range.min && value.get<double>() <= range.max;
}

}  // namespace

const std::vector<ConfigKey<Config>>& config_keys() {
  static const std::vector<ConfigKey<Config>> kKeys = [] {
    std::vector<ConfigKey<Config>> all = kConfigKeys;
    for (const LimitKey& key : limit_keys()) {
      all.push_back({key.name,
                     static_cast<int Config::*>(key.member),
                     key.unit,
                     key.help,
                     {key.range.min, key.range.max}});
    }
    return all;
  }();
  return kKeys;
}

const std::vector<ConfigKey<TopicSettings>>& topic_keys() {
  return kTopicKeys;
}

template <typename Owner>
std::string allowed_values(const ConfigKey<Owner>& key) {
  return with_type(key, [&key]<typename Value>(std::type_identity<Value>) -> std::string {
    if constexpr (IsNumber<Value>) {
      return fmt::format("{} from {} to {}", IsWhole<Value> ? "an integer" : "a number", key.range.min,
                         key.range.max);
    } else if constexpr (IsEnum<Value>) {
      return fmt::format("one of {}", fmt::join(Names<Value>::kAll, ", "));
    } else if constexpr (std::is_same_v<Value, bool>) {
      return "true or false";
    } else if constexpr (std::is_same_v<Value, OneOrMore>) {
      return "a string or an array of strings";
    } else {
      return IsText<Value> ? "a string" : "an array of strings";
    }
  });
}

template <typename Owner>
json read_value(const ConfigKey<Owner>& key, const Owner& owner) {
  return std::visit([&owner](auto member) { return json_of(owner.*member); }, key.member);
}

template <typename Owner>
bool write_value(const ConfigKey<Owner>& key, Owner& owner, const json& value) {
  return std::visit(
      [&]<typename Value>(Value Owner::* member) {
        if constexpr (IsNumber<Value>) {
          if (!is_within(value, key.range, IsWhole<Value>)) return false;
        }
        return take(value, owner.*member);
      },
      key.member);
}

template <typename Owner>
json value_of_text(const ConfigKey<Owner>& key, const std::string& text) {
  const std::optional<json> parsed = parse_toml_value(text);
  return with_type(key, [&]<typename Value>(std::type_identity<Value>) -> json {
    if constexpr (IsNumber<Value> || std::is_same_v<Value, bool>) {
      return parsed ? *parsed : json(text);
    } else if constexpr (IsText<Value> || IsEnum<Value>) {
      return parsed && parsed->is_string() ? *parsed : json(text);
    } else {
      if (parsed && parsed->is_array()) return *parsed;
      return json::array({parsed && parsed->is_string() ? *parsed : json(text)});
    }
  });
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
