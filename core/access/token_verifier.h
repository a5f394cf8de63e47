// TokenVerifier: judges JSON Web Tokens (RFC 7519) by the keys and rules of the server's configuration.
//
// replace() takes new rules over at once; a token is judged under one set of rules. Any thread; the lock is
// held only to take a reference.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

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
  std::string claim = "tickwire";  // the claim that holds the grant
};

struct VerifiedToken {
  std::shared_ptr<const TokenGrant> grant;
  std::string claims;  // all of them, a JSON object
};

class TokenVerifier {
 public:
  explicit TokenVerifier(TokenRules rules) : rules_(std::make_shared<const TokenRules>(std::move(rules))) {}

  void replace(TokenRules rules);
  // kBadMessage: `token` is no JSON Web Token, or none of the keys signed it. kDenied: one did, but the token
  // is not valid (now). The message is a sentence about "the token" without its subject ("has expired"), and
  // repeats nothing of it. Takes up to kVerifyingKeysMax checks of a signature, mostly one.
  [[nodiscard]] Result<VerifiedToken> verify(std::string_view token, std::int64_t wall_ms) const;

 private:
  mutable Mutex mutex_;
  std::shared_ptr<const TokenRules> rules_ GUARDED_BY(mutex_);
};

}  // namespace tickwire
