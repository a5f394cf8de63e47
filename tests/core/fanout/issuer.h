// The one issuer whose tokens the plants of these tests believe. Any thread.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "access/token_verifier.h"
#include "fakes/token_maker.h"

namespace tickwire {

inline const TokenMaker& issuer() {
  static const TokenMaker kMaker(SignatureAlgorithm::kHs256);
  return kMaker;
}

inline TokenRules issuer_rules() {
  TokenRules rules;
  rules.keys = {issuer().key()};
  return rules;
}

// The command that presents a token.
inline std::string auth(const std::string& token) {
  return nlohmann::json{{"type", "auth"}, {"id", 1}, {"token", token}}.dump();
}

}  // namespace tickwire
