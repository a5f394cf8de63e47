#include "engine/config_builder.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include "engine/config_keys.h"
#include "engine/nearest_name.h"
#include "engine/toml_text.h"
#include "model/topic_name.h"

namespace tickwire {
namespace {

using nlohmann::json;

Error bad(const Setting& setting, const std::string& key, std::string_view what) {
  return {ErrorCode::kBadConfig, fmt::format("{}: {} {}", setting.source, key, what), key};
}

std::string spelled(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

template <typename Owner>
Status assign(const Setting& setting, const std::string& name, const ConfigKey<Owner>& key, Owner& owner) {
  const json value = setting.text ? value_of_text(key, setting.value) : setting.value;
  if (write_value(key, owner, value)) return ok_status();
  const std::string found = key.is_secret() ? value.type_name() : spelled(value);
  return bad(setting, name, fmt::format("must be {}, not {}", allowed_values(key), found));
}

template <typename Owner>
const ConfigKey<Owner>* find_key(const std::vector<ConfigKey<Owner>>& keys, std::string_view name) {
  const auto found = std::ranges::find(keys, name, &ConfigKey<Owner>::name);
  return found == keys.end() ? nullptr : &*found;
}

// "server" of "server.listen".
std::string section_of(std::string_view key) {
  return std::string(key.substr(0, key.find('.')));
}

std::vector<std::string> sections() {
  std::vector<std::string> names{"plugins", "topics"};
  for (const auto& key : config_keys()) names.push_back(section_of(key.name));
  return names;
}

template <typename Owner>
Error unknown(const Setting& setting, const std::string& prefix, std::string_view name,
              const std::vector<ConfigKey<Owner>>& keys) {
  std::vector<std::string> names;
  names.reserve(keys.size());
  for (const auto& key : keys) names.emplace_back(key.name);
  return bad(setting, prefix + std::string(name),
             fmt::format("is not a known key; did you mean {}{}?", prefix, nearest_name(name, names)));
}

bool is_section(std::string_view name) {
  const std::vector<std::string> known = sections();
  return std::ranges::find(known, name) != known.end();
}

// plugin.okx.url, topic.trade.ring: these sections have no list of keys to look the nearest up in.
std::optional<Error> misspelled_free_section(const Setting& setting) {
  const std::string& front = setting.path.front();
  if (is_section(front)) return std::nullopt;
  Setting meant = setting;
  meant.path.front() = nearest_name(front, sections());
  if (meant.path.front() != "plugins" && meant.path.front() != "topics") return std::nullopt;
  return bad(setting, setting.key(), fmt::format("is not a known key; did you mean {}?", meant.key()));
}

bool is_plugin_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

}  // namespace

Status ConfigBuilder::apply(const Setting& setting) {
  const std::string name = setting.key();
  if (const auto* key = find_key(config_keys(), name)) {
    Status assigned = assign(setting, name, *key, config_);
    if (assigned) config_.sources[name] = setting.source;
    return assigned;
  }
  if (is_section(name)) {
    if (setting.value.is_object()) return ok_status();  // an empty [section]
    return bad(setting, name, fmt::format("must be a table, not {}", spelled(setting.value)));
  }
  if (setting.path.front() == "topics") return apply_topic(setting);
  const bool named = setting.path.size() > 2 || (setting.path.size() == 2 && setting.value.is_object());
  if (setting.path.front() == "plugins" && named) return apply_plugin(setting);
  if (std::optional<Error> misspelled = misspelled_free_section(setting)) return std::move(*misspelled);
  if (setting.value.is_object() && setting.path.size() == 1) {
    return bad(setting, name,
               fmt::format("is not a known table; did you mean {}?", nearest_name(name, sections())));
  }
  return unknown(setting, "", name, config_keys());
}

Status ConfigBuilder::apply_topic(const Setting& setting) {
  const bool whole_table = setting.value.is_object();
  const std::span<const std::string> path(setting.path);
  const auto middle = path.subspan(1, path.size() - (whole_table ? 1 : 2));
  const std::string pattern = fmt::format("{}", fmt::join(middle, "."));
  const std::string prefix = fmt::format("topics.\"{}\"", pattern);
  if (middle.empty()) {
    return bad(setting, setting.key(), "must be a table of settings, as in topics.\"trade.>\".ring = 64");
  }
  if (const auto parsed = Pattern::parse(pattern); !parsed) {
    return bad(setting, prefix, fmt::format("is not a topic or pattern: {}", parsed.error().message));
  }
  TopicSettings& settings = config_.topics[pattern];
  if (whole_table) return ok_status();
  const auto* key = find_key(topic_keys(), path.back());
  if (key == nullptr) return unknown(setting, prefix + ".", path.back(), topic_keys());
  const std::string name = fmt::format("{}.{}", prefix, key->name);
  Status assigned = assign(setting, name, *key, settings);
  if (assigned) config_.sources[name] = setting.source;
  return assigned;
}

Status ConfigBuilder::apply_plugin(const Setting& setting) {
  const std::string& name = setting.path[1];
  if (!is_plugin_name(name) || find_key(config_keys(), "plugins." + name) != nullptr) {
    return unknown(setting, "", setting.key(), config_keys());
  }
  json* place = &plugins_.try_emplace(name, json::object()).first->second;
  for (const std::string& part : std::span(setting.path).subspan(2)) {
    if (!place->is_object()) *place = json::object();
    place = &(*place)[part];
  }
  if (setting.path.size() > 2) {
    const std::optional<json> parsed =
        setting.text ? parse_toml_value(setting.value.get<std::string>()) : std::nullopt;
    *place = parsed ? *parsed : setting.value;
  }
  config_.sources[setting.key()] = setting.source;
  return ok_status();
}

Config ConfigBuilder::finish() {
  for (const auto& [name, options] : plugins_) config_.plugins[name] = spelled(options);
  return std::move(config_);
}

}  // namespace tickwire
