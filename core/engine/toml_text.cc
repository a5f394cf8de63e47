#include "engine/toml_text.h"

#include <fmt/format.h>

#include <toml++/toml.h>
#include <array>
#include <cmath>
#include <cstddef>
#include <fstream>
#include <sstream>

#include "base/file_kind.h"

namespace tickwire {
namespace {

using nlohmann::json;

std::string toml_spelling(const toml::node& node) {
  std::ostringstream out;
  node.visit([&out](const auto& value) { out << value; });
  return out.str();
}

json to_json(const toml::node& node) {
  if (const auto* table = node.as_table()) {
    json object = json::object();
    for (const auto& [key, value] : *table) object[std::string(key.str())] = to_json(value);
    return object;
  }
  if (const auto* items = node.as_array()) {
    json list = json::array();
    for (const auto& item : *items) list.push_back(to_json(item));
    return list;
  }
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return number->get();
  if (const auto* flag = node.as_boolean()) return flag->get();
  if (const auto* number = node.as_floating_point(); number && std::isfinite(number->get())) {
    return number->get();
  }
  return toml_spelling(node);
}

}  // namespace

Result<json> read_toml_file(const std::string& path) {
  const auto kind = other_than_file(path);
  if (kind && !path.starts_with("/dev/")) {
    return Error{ErrorCode::kBadConfig, fmt::format("{}: is {}, not a configuration file", path, *kind), {}};
  }
  std::ifstream file(path, std::ios::binary);
  std::string text;
  std::array<char, 4096> block{};
  while (file.read(block.data(), block.size()) || file.gcount() > 0) {
    text.append(block.data(), static_cast<std::size_t>(file.gcount()));
    if (text.size() > kConfigBytesMax) {
      return Error{ErrorCode::kBadConfig,
                   fmt::format("{}: is longer than {} bytes, the most that a configuration may have", path,
                               kConfigBytesMax),
                   {}};
    }
  }
  if (!file.eof()) {
    return Error{ErrorCode::kBadConfig, fmt::format("{}: the configuration file cannot be read", path), {}};
  }
  try {
    return to_json(toml::parse(text, path));
  } catch (const toml::parse_error& error) {
    const auto& at = error.source().begin;
    return Error{ErrorCode::kBadConfig,
                 fmt::format("{}:{}:{}: {}", path, at.line, at.column, error.description()),
                 {}};
  }
}

std::optional<json> parse_toml_value(std::string_view text) {
  try {
    const toml::table table = toml::parse(fmt::format("value = {}", text));
    if (table.size() != 1) return std::nullopt;  // a line break smuggled in another key
    return to_json(*table.get("value"));
  } catch (const toml::parse_error&) {
    return std::nullopt;
  }
}

}  // namespace tickwire
