#include "engine/setting.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>

namespace tickwire {
namespace {

using nlohmann::json;

void collect(const json& node, std::vector<std::string>& path, const std::string& source,
             std::vector<Setting>& out) {
  if (!node.is_object() || (node.empty() && !path.empty())) {
    out.push_back({path, node, false, source});
    return;
  }
  for (const auto& [key, value] : node.items()) {
    path.push_back(key);
    collect(value, path, source, out);
    path.pop_back();
  }
}

std::vector<std::string> split(std::string_view text, std::string_view separator) {
  std::vector<std::string> parts;
  std::size_t end = 0;
  while ((end = text.find(separator)) != std::string_view::npos) {
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(end + separator.size());
  }
  parts.emplace_back(text);
  return parts;
}

}  // namespace

std::string Setting::key() const {
  return fmt::format("{}", fmt::join(path, "."));
}

std::vector<Setting> settings_of_tree(const json& tree, const std::string& source) {
  std::vector<Setting> settings;
  std::vector<std::string> path;
  collect(tree, path, source, settings);
  return settings;
}

Result<Setting> setting_of_assignment(std::string_view assignment) {
  const std::size_t equals = assignment.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    return Error{ErrorCode::kBadConfig, fmt::format("--set: \"{}\" is not key=value", assignment), {}};
  }
  std::string key(assignment.substr(0, equals));
  std::erase(key, '"');
  return Setting{split(key, "."), std::string(assignment.substr(equals + 1)), true, "--set"};
}

Setting setting_of_environment(std::string_view name, std::string_view value) {
  std::string key(name.substr(kEnvironmentPrefix.size()));
  std::ranges::transform(key, key.begin(), [](char c) {
    return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  });
  return Setting{split(key, "__"), std::string(value), true, fmt::format("env {}", name)};
}

}  // namespace tickwire
