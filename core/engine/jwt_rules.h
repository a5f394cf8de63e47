// What [auth] says about tokens that the server verifies itself: the rules to judge them by, with the keys
// out of their files, and what is guarded because of them. Reads these files and nothing else. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "access/token_verifier.h"
#include "base/error.h"
#include "bridge/bridge.h"
#include "engine/config.h"

namespace tickwire {

// There are keys, so every topic that auth.public does not name needs a token.
[[nodiscard]] inline bool verifies_tokens(const Config& config) {
  return !config.auth_jwt_keys.empty() || !config.auth_jwt_secret.empty();
}

struct JwtRules {
  TokenRules rules;
  std::vector<std::string> warnings;  // about keys of a set that are passed over
};

// kBadConfig, which names the key, and the file that is wrong, but nothing of what it holds. Without keys:
// nothing else of auth.jwt or auth.public may be set, since whoever sets it expects topics to be guarded.
Result<JwtRules> read_jwt_rules(const Config& config);

// What the token lets its bearer do, for people: a JSON object of subscribe, publish, max_rate, expires_in_s
// and claims.
std::string describe_grant(const VerifiedToken& token, std::int64_t now_ms);

// `config`: one from load_config.
AccessPolicy access_policy(const Config& config);

}  // namespace tickwire
