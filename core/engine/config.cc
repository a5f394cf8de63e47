#include "engine/config.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <iterator>

#include "engine/admin_door.h"
#include "engine/cluster_keys.h"
#include "engine/config_builder.h"
#include "engine/config_keys.h"
#include "engine/identity_keys.h"
#include "engine/jwt_rules.h"
#include "engine/net_keys.h"
#include "engine/secret_file.h"
#include "engine/setting.h"
#include "engine/toml_text.h"
#include "model/printable.h"
#include "model/utf8.h"
#include "net/tls.h"

namespace tickwire {
namespace {

using nlohmann::json;

// Python, which may read the result, has no text for other bytes.
Status check_utf8(const std::string& source, const std::string& text) {
  if (valid_utf8(source) && valid_utf8(text)) return ok_status();
  return Error{
      ErrorCode::kBadConfig, fmt::format("{}: {} is not UTF-8", printable(source), printable(text)), {}};
}

class Collected {
 public:
  Status add(Result<std::vector<Setting>> more) {
    if (!more) return more.error();
    settings.insert(settings.end(), std::make_move_iterator(more->begin()),
                    std::make_move_iterator(more->end()));
    return ok_status();
  }
  Status add_file(const std::string& path) {
    if (Status is_text = check_utf8("--config", path); !is_text) return is_text;
    const Result<json> tree = read_toml_file(path);
    return tree ? add(settings_of_tree(*tree, path)) : tree.error();
  }
  Status add_overrides(const std::string& text) {
    const json tree = json::parse(text, nullptr, false);
    if (!tree.is_object()) return Error{ErrorCode::kBadConfig, "overrides: must be a JSON object", {}};
    return add(settings_of_tree(tree, "overrides"));
  }
  Status add_variable(const std::string& name, const std::string& value) {
    Result<std::optional<Setting>> setting = setting_of_environment(name, value);
    if (!setting) return setting.error();
    if (!*setting) return ok_status();
    if (Status is_text = check_utf8("env " + name, value); !is_text) return is_text;
    settings.push_back(std::move(**setting));
    return ok_status();
  }
  Status add_assignment(const std::string& assignment) {
    if (Status is_text = check_utf8("--set", assignment); !is_text) return is_text;
    Result<Setting> setting = setting_of_assignment(assignment);
    if (!setting) return setting.error();
    settings.push_back(std::move(*setting));
    return ok_status();
  }

  std::vector<Setting> settings;
};

Result<std::vector<Setting>> collect_settings(const ConfigSources& sources) {
  Collected all;
  Status added = sources.file.empty() ? ok_status() : all.add_file(sources.file);
  for (std::size_t i = 0; added && i < sources.environment.size(); ++i) {
    added = all.add_variable(sources.environment[i].first, sources.environment[i].second);
  }
  if (added && !sources.overrides.empty()) added = all.add_overrides(sources.overrides);
  for (std::size_t i = 0; added && i < sources.sets.size(); ++i) added = all.add_assignment(sources.sets[i]);
  if (!added) return added.error();
  return std::move(all.settings);
}

std::int64_t to_ms(ExactSeconds time) {
  return std::llround(time.count() * 1000);
}

// Fills in each secret that a file holds.
Status read_secret_files(Config& config) {
  for (const auto& key : config_keys()) {
    const auto* const secret = std::get_if<Secret Config::*>(&key.member);
    if (secret == nullptr) continue;
    const std::string name(key.name);
    const std::string file_name = name + "_file";
    const auto file = std::ranges::find(config_keys(), std::string_view(file_name), &ConfigKey<Config>::name);
    const std::string path = read_value(*file, config);
    if (path.empty()) continue;
    const std::string& source = config.sources[file_name];
    if (!(config.**secret).empty()) {
      return Error{ErrorCode::kBadConfig,
                   fmt::format("{}: {} cannot be set where {} is set, too ({}); leave one out", source,
                               file_name, name, config.sources[name]),
                   file_name};
    }
    Result<SecretFile> read = read_secret_file(file_name, path);
    if (!read) {
      return Error{ErrorCode::kBadConfig, fmt::format("{}: {}", source, read.error().message), file_name};
    }
    config.** secret = Secret(std::move(read->text));
    config.sources[name] = path;
    if (!read->warning.empty()) config.warnings.push_back(std::move(read->warning));
  }
  return ok_status();
}

Status check_jwt(Config& config) {
  Result<JwtRules> read = read_jwt_rules(config);
  if (!read) return with_source(config, read.error());
  std::ranges::move(read->warnings, std::back_inserter(config.warnings));
  return ok_status();
}

// A name before `*` before `>`, token for token from the left.
bool more_specific(std::string_view a, std::string_view b) {
  const auto rank = [](std::string_view token) { return token == ">" ? 2 : token == "*" ? 1 : 0; };
  while (!a.empty() && !b.empty()) {
    const std::string_view x = a.substr(0, a.find('.'));
    const std::string_view y = b.substr(0, b.find('.'));
    if (rank(x) != rank(y)) return rank(x) < rank(y);
    if (x != y) return x < y;
    a.remove_prefix(std::min(a.size(), x.size() + 1));
    b.remove_prefix(std::min(b.size(), y.size() + 1));
  }
  return a.size() > b.size();
}

// What a plugin's secret is called: okx.api_key, kraken.secret.
bool names_a_secret(std::string_view name) {
  std::string lower(name);
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  constexpr std::array kParts{"secret", "token", "password", "passphrase", "credential"};
  return lower.ends_with("key") ||
         std::ranges::any_of(kParts, [&](const char* part) { return lower.find(part) != std::string::npos; });
}

std::string hidden(const json& value) {
  const auto* text = value.get_ptr<const std::string*>();
  return value.empty() || (text != nullptr && text->empty()) ? value.dump() : R"("***")";
}

class Entries {
 public:
  explicit Entries(const Config& config) : config_(config) {}

  template <typename Owner>
  void add(const std::string& prefix, const ConfigKey<Owner>& key, const Owner& owner) {
    const std::string name = prefix + std::string(key.name);
    list_.push_back({name, key.is_secret() ? hidden(read_value(key, owner)) : spelled(read_value(key, owner)),
                     std::string(key.unit), source(name), allowed_values(key), std::string(key.help)});
  }
  void add_plugin(const std::string& name, const std::string& options) {
    for (const Setting& leaf : settings_of_plugin(name, json::parse(options))) {
      const std::string key = leaf.key();
      list_.push_back({key,
                       names_a_secret(leaf.path.back()) ? hidden(leaf.value) : spelled(leaf.value),
                       {},
                       source(key),
                       "what the plugin takes",
                       "handed to the plugin"});
    }
  }
  std::vector<ConfigEntry> take() { return std::move(list_); }

 private:
  static std::string spelled(const json& value) {
    return value.dump(-1, ' ', false, json::error_handler_t::replace);
  }
  [[nodiscard]] std::string source(const std::string& key) const {
    const auto found = config_.sources.find(key);
    return found == config_.sources.end() ? "default" : found->second;
  }

  const Config& config_;
  std::vector<ConfigEntry> list_;
};

// That a server could serve with it; and that nobody believes in TLS that is not there.
Status check_tls(Config& config, const std::vector<ListenAddress>& addresses) {
  const auto is_tls = [](const ListenAddress& address) { return address.transport == Transport::kTls; };
  if (std::ranges::any_of(addresses, is_tls)) {
    const auto loaded = TlsCertificate::load(config.tls_certificate, config.tls_key);
    return loaded ? ok_status() : Status(loaded.error());
  }
  if (!config.tls_certificate.empty() || !config.tls_key.empty()) {
    config.warnings.emplace_back(
        "tls.certificate and tls.key are not used: no address in server.listen is https://");
  }
  return ok_status();
}

}  // namespace

Error with_source(const Config& config, Error error) {
  const auto source = config.sources.find(error.field);
  if (source != config.sources.end()) error.message = fmt::format("{}: {}", source->second, error.message);
  return error;
}

Result<Config> load_config(const ConfigSources& sources) {
  const auto settings = collect_settings(sources);
  if (!settings) return settings.error();
  ConfigBuilder builder;
  for (const Setting& setting : *settings) {
    if (const Status applied = builder.apply(setting); !applied) return applied.error();
  }
  Config config = builder.finish();
  config.file = sources.file;
  if (const Status read = read_secret_files(config); !read) return read.error();
  const auto addresses = parse_listens(config);
  if (!addresses) return with_source(config, addresses.error());
  if (const Status checked = check_tls(config, *addresses); !checked) return checked.error();
  if (const Status checked = check_jwt(config); !checked) return checked.error();
  if (const Status checked = check_net_keys(config, *addresses); !checked) return checked.error();
  if (const Status checked = check_identity_keys(config); !checked) return checked.error();
  if (const Status checked = check_cluster_keys(config); !checked) return checked.error();
  if (const auto admin = parse_admin_listen(config); !admin) return with_source(config, admin.error());
  for (const auto& [pattern, topic] : config.topics) {
    if (topic.history != History::kStored || !config.store_path.empty()) continue;
    const std::string key = fmt::format("topics.\"{}\".history", pattern);
    return Error{
        ErrorCode::kBadConfig,
        fmt::format("{}: {} = \"stored\" needs store.path, which is empty", config.sources[key], key),
        {}};
  }
  return config;
}

std::vector<std::pair<std::string, std::string>> environment_settings() {
  std::vector<std::pair<std::string, std::string>> settings;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::size_t equals = text.find('=');
    if (!text.starts_with(kEnvironmentPrefix) || equals == std::string_view::npos) continue;
    settings.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  std::ranges::sort(settings);
  return settings;
}

std::vector<ConfigEntry> config_entries(const Config& config) {
  Entries entries(config);
  for (const auto& key : config_keys()) entries.add("", key, config);
  for (const auto& [pattern, settings] : config.topics) {
    for (const auto& key : topic_keys()) entries.add(fmt::format("topics.\"{}\".", pattern), key, settings);
  }
  for (const auto& [name, options] : config.plugins) entries.add_plugin(name, options);
  return entries.take();
}

std::vector<TopicRule> topic_rules(const Config& config) {
  std::vector<TopicRule> rules;
  rules.reserve(config.topics.size());
  for (const auto& [pattern, settings] : config.topics) {
    const auto is_set = [&](std::string_view key) {
      return config.sources.contains(fmt::format("topics.\"{}\".{}", pattern, key));
    };
    TopicRule rule{.pattern = pattern};
    if (is_set("delivery")) rule.delivery = settings.delivery;
    if (is_set("ring")) rule.ring = static_cast<std::uint32_t>(settings.ring);
    if (is_set("ring_s")) rule.ring_ms = to_ms(settings.ring_age);
    if (is_set("history")) rule.stored = settings.history == History::kStored;
    if (is_set("stale_after_s")) rule.stale_after_ms = to_ms(settings.stale_after);
    rules.push_back(std::move(rule));
  }
  std::ranges::sort(rules, more_specific, &TopicRule::pattern);
  return rules;
}

}  // namespace tickwire
