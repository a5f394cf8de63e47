#include "engine/jwt_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

#include "access/jwks.h"
#include "access/pem_keys.h"
#include "engine/https_get.h"
#include "engine/small_file.h"

namespace tickwire {
namespace {

constexpr std::string_view kKeysKey = "auth.jwt.keys";

Error jwt_error(std::string_view key, std::string_view what) {
  return {ErrorCode::kBadConfig, fmt::format("{}: {}", key, what), std::string(key)};
}

Result<std::string> read_key_file(const std::string& path) {
  Result<std::string> text = read_small_file(path, kJwksBytesMax + 1);
  if (!text) return jwt_error(kKeysKey, fmt::format("{} {}", path, text.error().message));
  if (text->size() <= kJwksBytesMax) return text;
  return jwt_error(kKeysKey, fmt::format("{} is longer than {} bytes", path, kJwksBytesMax));
}

Result<std::string> read_key_source(const std::string& path, const KeySets& sets) {
  if (!is_url(path)) return read_key_file(path);
  if (const Status checked = check_url(path); !checked) return jwt_error(kKeysKey, checked.error().message);
  const auto found = sets.find(path);
  return found == sets.end() ? std::string() : found->second;
}

Status add_keys(const std::string& path, const KeySets& sets, JwtRules& out) {
  const Result<std::string> text = read_key_source(path, sets);
  if (!text) return text.error();
  const std::size_t first = text->find_first_not_of(" \t\r\n");
  if (is_url(path) && first == std::string::npos) return ok_status();  // not fetched yet
  std::vector<VerifyingKey> keys;
  if (first != std::string::npos && (*text)[first] == '{') {
    Result<Jwks> set = read_jwks(*text);
    if (!set) return jwt_error(kKeysKey, fmt::format("{} {}", path, set.error().message));
    for (const std::string& warning : set->warnings) {
      out.warnings.push_back(fmt::format("{}: {}: {}", kKeysKey, path, warning));
    }
    keys = std::move(set->keys);
  } else {
    Result<std::vector<VerifyingKey>> read = read_pem_keys(*text);
    if (!read) return jwt_error(kKeysKey, fmt::format("{} {}", path, read.error().message));
    keys = std::move(*read);
  }
  std::ranges::move(keys, std::back_inserter(out.rules.keys));
  return ok_status();
}

// What makes no sense without keys, and is set.
std::string_view needs_keys(const Config& config) {
  if (!config.auth_public.empty()) return "auth.public";
  if (!config.auth_jwt_issuer.empty()) return "auth.jwt.issuer";
  return config.auth_jwt_audience.empty() ? "" : "auth.jwt.audience";
}

}  // namespace

Result<JwtRules> read_jwt_rules(const Config& config, const KeySets& sets) {
  if (const std::string_view key = needs_keys(config); !verifies_tokens(config) && !key.empty()) {
    return jwt_error(key, "needs auth.jwt.keys or auth.jwt.secret; without them every topic is open");
  }
  for (const std::string& pattern : config.auth_public) {
    if (const auto parsed = Pattern::parse(pattern); !parsed)
      return jwt_error("auth.public", parsed.error().message);
  }
  JwtRules out;
  for (const std::string& path : config.auth_jwt_keys) {
    if (const Status added = add_keys(path, sets, out); !added) return added.error();
  }
  if (!config.auth_jwt_secret.empty()) {
    Result<VerifyingKey> secret = VerifyingKey::of_secret(config.auth_jwt_secret.reveal());
    if (!secret) return jwt_error("auth.jwt.secret", secret.error().message);
    out.rules.keys.push_back(std::move(*secret));
  }
  if (out.rules.keys.size() > kVerifyingKeysMax) {
    return jwt_error(kKeysKey, fmt::format("{} keys in all, at most {} are allowed", out.rules.keys.size(),
                                           kVerifyingKeysMax));
  }
  if (config.auth_jwt_claim.empty())
    return jwt_error("auth.jwt.claim", "is empty; it names the claim that grants");
  out.rules.issuer = config.auth_jwt_issuer;
  out.rules.audience = config.auth_jwt_audience;
  out.rules.leeway_s = config.auth_jwt_leeway.count();
  out.rules.max_age_s = config.auth_jwt_max_age.count();
  out.rules.claim = config.auth_jwt_claim;
  return out;
}

std::vector<std::string> key_set_urls(const Config& config) {
  std::vector<std::string> urls;
  std::ranges::copy_if(config.auth_jwt_keys, std::back_inserter(urls), is_url);
  return urls;
}

Result<std::string> get_key_set(const std::string& url, const std::atomic<bool>& stop) {
  Result<std::string> text = https_get(url, kJwksBytesMax, stop);
  if (!text) return text;
  if (const Result<Jwks> set = read_jwks(*text); !set)
    return Error{ErrorCode::kUnavailable, "the answer " + set.error().message, ""};
  return text;
}

std::string describe_grant(const VerifiedToken& token, std::int64_t now_ms) {
  const TokenGrant& grant = *token.grant;
  const auto texts = [](const std::vector<Pattern>& patterns) {
    std::vector<std::string> out;
    out.reserve(patterns.size());
    for (const Pattern& pattern : patterns) out.push_back(pattern.text());
    return out;
  };
  return nlohmann::json{{"subscribe", texts(grant.subscribe)},
                        {"publish", texts(grant.publish)},
                        {"max_rate", grant.max_rate},
                        {"expires_in_s", (grant.expires_ms - now_ms) / 1'000},
                        {"claims", nlohmann::json::parse(token.claims)}}
      .dump();
}

AccessPolicy access_policy(const Config& config) {
  AccessPolicy policy{.publish = config.auth_publish, .by_token = verifies_tokens(config)};
  for (const std::string& pattern : config.auth_public)
    policy.open_topics.push_back(Pattern::parse(pattern).value());
  return policy;
}

}  // namespace tickwire
