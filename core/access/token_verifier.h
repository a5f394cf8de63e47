// TokenVerifier: judges JSON Web Tokens (RFC 7519) by the keys and rules of the server's configuration.
//
// replace() takes new rules over at once; a token is judged under one set of rules. Any thread; the lock is
// held only to take a reference.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "access/revocations.h"
#include "access/token_grant.h"
#include "access/verifying_key.h"
#include "base/error.h"
#include "base/mutex.h"

namespace tickwire {

// A token without a `kid` is held against each key of its algorithm: at most so many checks of some 0.1 ms.
inline constexpr std::size_t kVerifyingKeysMax = 32;

struct TokenRules {
  std::vector<VerifyingKey> keys;  // at most kVerifyingKeysMax
  std::string issuer;              // what `iss` must be; empty: anything
  std::string audience;       // what `aud` must name; empty: a token that has an `aud` is for somebody else
  std::int64_t leeway_s = 0;  // by how much clocks may differ
  // How long a token may be valid, from its `iat` (where it has one) and from now on, to its `exp`.
  std::int64_t max_age_s = 86'400;
  std::string claim = "tickwire";  // the claim that holds the grant
  // None of `keys` signed a token. True: the key that did may be there soon. On the verifying thread; null:
  // no other keys will come.
  std::function<bool()> ask_for_keys = {};
};

// How long after some moment a token may be valid that was issued at that moment, or before it without an
// `iat`: so long its revocation has to be kept.
[[nodiscard]] constexpr std::int64_t token_life_ms(const TokenRules& rules) {
  return (rules.max_age_s + 2 * rules.leeway_s) * 1'000;
}

struct VerifiedToken {
  std::shared_ptr<const TokenGrant> grant;
  std::string claims;  // all of them, a JSON object
};

class TokenVerifier {
 public:
  // `revocations` outlives it; null: no token was revoked.
  explicit TokenVerifier(TokenRules rules, const Revocations* revocations = nullptr)
      : revocations_(revocations), rules_(std::make_shared<const TokenRules>(std::move(rules))) {}

  void replace(TokenRules rules);
  // kBadMessage: `token` is no JSON Web Token, or none of the keys signed it. kDenied: one did, but the token
  // is not valid (now). kUnavailable: its key may be known soon. The message is a sentence about "the token"
  // without its subject ("has expired"), and repeats nothing of it. Takes up to kVerifyingKeysMax checks of a
  // signature, mostly one.
  [[nodiscard]] Result<VerifiedToken> verify(std::string_view token, std::int64_t wall_ms) const;

 private:
  const Revocations* const revocations_;
  mutable Mutex mutex_;
  std::shared_ptr<const TokenRules> rules_ GUARDED_BY(mutex_);
};

}  // namespace tickwire
