#include "engine/identity_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "net/header_text.h"
#include "net/origin_rule.h"

namespace tickwire {
namespace {

Error refused(const Config& config, std::string_view key, std::string_view what) {
  return with_source(config, {ErrorCode::kBadConfig, fmt::format("{}: {}", key, what), std::string(key)});
}

Status check_name(const Config& config, std::string_view key, std::string_view name) {
  if (is_token(name)) return ok_status();
  return refused(config, key, fmt::format("\"{}\" is no name; it takes letters, digits and - _ .", name));
}

bool names_pages(const Config& config) {
  return std::ranges::any_of(
      config.origins, [](std::string_view entry) { return entry != kEveryOrigin && entry != kNullOrigin; });
}

}  // namespace

Status check_identity_keys(Config& config) {
  if (!config.auth_token_cookie.empty()) {
    if (Status named = check_name(config, "auth.token_cookie", config.auth_token_cookie); !named)
      return named;
  }
  for (const std::string& name : config.auth_client_cookies) {
    if (Status named = check_name(config, "auth.client_cookies", name); !named) return named;
  }
  for (std::string& name : config.auth_client_headers) {
    if (Status named = check_name(config, "auth.client_headers", name); !named) return named;
    name = lower_case(name);
    if (name == "cookie") {
      return refused(config, "auth.client_headers",
                     "cookies of any page would count; auth.client_cookies names those that plugins see");
    }
  }
  const bool reads_cookies = !config.auth_token_cookie.empty() || !config.auth_client_cookies.empty();
  if (reads_cookies && !names_pages(config)) {
    config.warnings.emplace_back(
        "cookies never count: server.origins names no page (\"*\" and \"null\" name nobody)");
  }
  return ok_status();
}

IdentityRules identity_rules(const Config& config) {
  return {config.auth_token_cookie, config.auth_client_headers, config.auth_client_cookies};
}

}  // namespace tickwire
