// What [auth] says about tokens that the server verifies itself: the rules to judge them by, with the keys
// out of their files, and what is guarded because of them. Reads these files and nothing else. Any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "access/token_verifier.h"
#include "base/error.h"
#include "bridge/bridge.h"
#include "engine/config.h"
#include "engine/key_fetcher.h"

namespace tickwire {

// There are keys, so every topic that auth.public does not name needs a token.
[[nodiscard]] inline bool verifies_tokens(const Config& config) {
  return !config.auth_jwt_keys.empty() || !config.auth_jwt_secret.empty();
}

struct JwtRules {
  TokenRules rules;
  std::vector<std::string> warnings;  // about keys of a set that are passed over
};

// `sets`: the key sets of the addresses among auth.jwt.keys, as far as they were fetched; of the others no
// key is known yet. kBadConfig, which names the key, and the file that is wrong, but nothing of what it
// holds. Without keys: nothing else of auth.jwt or auth.public may be set, since whoever sets it expects
// topics to be guarded.
Result<JwtRules> read_jwt_rules(const Config& config, const KeySets& sets = {});

// The addresses among auth.jwt.keys.
std::vector<std::string> key_set_urls(const Config& config);
// Fetches a key set. kUnavailable, also where it is none.
Result<std::string> get_key_set(const std::string& url, const std::atomic<bool>& stop);

// What the token lets its bearer do, for people: a JSON object of subscribe, publish, max_rate, expires_in_s
// and claims.
std::string describe_grant(const VerifiedToken& token, std::int64_t now_ms);

// `config`: one from load_config.
AccessPolicy access_policy(const Config& config);

}  // namespace tickwire
