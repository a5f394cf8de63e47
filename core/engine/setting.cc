#include "engine/setting.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <iterator>
#include <span>
#include <utility>

namespace tickwire {
namespace {

using nlohmann::json;

constexpr std::string_view kQuotes = "\"'";

// Where `wanted` stands outside of quotes, or npos.
std::size_t find_unquoted(std::string_view text, char wanted) {
  char quote = '\0';
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (quote != '\0') {
      if (text[i] == quote) quote = '\0';
    } else if (text[i] == wanted) {
      return i;
    } else if (kQuotes.find(text[i]) != std::string_view::npos) {
      quote = text[i];
    }
  }
  return std::string_view::npos;
}

// The part without its quotes, or nothing where it is none.
std::optional<std::string> unquoted(std::string_view part) {
  if (part.empty()) return std::nullopt;
  if (kQuotes.find(part.front()) != std::string_view::npos) {
    if (part.size() < 3 || part.find(part.front(), 1) != part.size() - 1) return std::nullopt;
    return std::string(part.substr(1, part.size() - 2));
  }
  if (part.find_first_of(kQuotes) != std::string_view::npos) return std::nullopt;
  return std::string(part);
}

std::string spelled_part(const std::string& part) {
  const bool bare = !part.empty() && std::ranges::all_of(part, [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-';
  });
  return bare ? part : json(part).dump(-1, ' ', false, json::error_handler_t::replace);
}

class Leaves {
 public:
  explicit Leaves(std::string source) : source_(std::move(source)) {}

  Status collect(const json& node, std::vector<std::string>& path) {
    if (!node.is_object() || (node.empty() && !path.empty())) {
      found.push_back({path, node, false, source_});
      return ok_status();
    }
    const bool is_plugins_own = path.size() >= 2 && path.front() == "plugins";
    for (const auto& [name, value] : node.items()) {
      Result<std::vector<std::string>> parts =
          is_plugins_own ? std::vector<std::string>{name} : parse_key(name);
      if (!parts)
        return Error{ErrorCode::kBadConfig, fmt::format("{}: {}", source_, parts.error().message), name};
      path.insert(path.end(), parts->begin(), parts->end());
      if (Status below = collect(value, path); !below) return below;
      path.resize(path.size() - parts->size());
    }
    return ok_status();
  }

  std::vector<Setting> found;

 private:
  const std::string source_;
};

// The key that a variable's name without its prefix means; what stands in quotes keeps its case.
std::string key_of_variable(std::string_view name) {
  std::string key;
  char quote = '\0';
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    if (quote != '\0' || kQuotes.find(c) != std::string_view::npos) {
      quote = quote == '\0' ? c : quote == c ? '\0' : quote;
      key += c;
    } else if (name.substr(i).starts_with("__")) {
      key += '.';
      ++i;
    } else {
      key += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
  }
  return key;
}

}  // namespace

std::string Setting::key() const {
  if (path.size() > 2 && path.front() == "topics") {
    const auto pattern = std::span(path).subspan(1, path.size() - 2);
    return fmt::format("topics.\"{}\".{}", fmt::join(pattern, "."), path.back());
  }
  std::vector<std::string> parts;
  parts.reserve(path.size());
  std::ranges::transform(path, std::back_inserter(parts), spelled_part);
  return fmt::format("{}", fmt::join(parts, "."));
}

Result<std::vector<std::string>> parse_key(std::string_view key) {
  std::vector<std::string> parts;
  std::string_view rest = key;
  while (true) {
    const std::size_t dot = find_unquoted(rest, '.');
    std::optional<std::string> part = unquoted(rest.substr(0, dot));
    if (!part) {
      return Error{ErrorCode::kBadConfig,
                   fmt::format("{} is not a key: parts, in quotes or without any, joined by single dots",
                               json(key).dump(-1, ' ', false, json::error_handler_t::replace)),
                   std::string(key)};
    }
    parts.push_back(std::move(*part));
    if (dot == std::string_view::npos) return parts;
    rest.remove_prefix(dot + 1);
  }
}

Result<std::vector<Setting>> settings_of_tree(const json& tree, const std::string& source) {
  Leaves leaves(source);
  std::vector<std::string> path;
  if (Status read = leaves.collect(tree, path); !read) return read.error();
  return std::move(leaves.found);
}

std::vector<Setting> settings_of_plugin(const std::string& plugin, const json& table) {
  Leaves leaves("");
  std::vector<std::string> path{"plugins", plugin};
  static_cast<void>(leaves.collect(table, path));  // names that are kept as they are cannot be wrong
  return std::move(leaves.found);
}

Result<Setting> setting_of_assignment(std::string_view assignment) {
  const std::size_t equals = find_unquoted(assignment, '=');
  if (equals == std::string_view::npos || equals == 0) {
    return Error{ErrorCode::kBadConfig, fmt::format("--set: \"{}\" is not key=value", assignment), {}};
  }
  Result<std::vector<std::string>> path = parse_key(assignment.substr(0, equals));
  if (!path) {
    return Error{ErrorCode::kBadConfig, fmt::format("--set: {}", path.error().message), path.error().field};
  }
  return Setting{std::move(*path), std::string(assignment.substr(equals + 1)), true, "--set"};
}

Result<std::optional<Setting>> setting_of_environment(std::string_view name, std::string_view value) {
  if (!name.starts_with(kEnvironmentPrefix)) return std::optional<Setting>();
  const std::string_view rest = name.substr(kEnvironmentPrefix.size());
  const std::size_t section = rest.find("__");
  if (section == std::string_view::npos || section == 0) return std::optional<Setting>();
  const std::string source = fmt::format("env {}", name);
  Result<std::vector<std::string>> path = parse_key(key_of_variable(rest));
  if (!path) {
    return Error{ErrorCode::kBadConfig, fmt::format("{}: {}", source, path.error().message),
                 path.error().field};
  }
  return std::optional<Setting>({std::move(*path), std::string(value), true, source});
}

}  // namespace tickwire
