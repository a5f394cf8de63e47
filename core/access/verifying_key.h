// VerifyingKey: a key that tokens are checked with. The one algorithm that it serves is pinned to it when it
// is made, so a token cannot choose how its signature is looked at ("alg": "none", or the text of a public
// RSA key taken for the secret of HS256).
//
// A value that shares the key with its copies; immutable. Any thread, several at once.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

struct evp_pkey_st;  // OpenSSL's EVP_PKEY

namespace tickwire {

// The order is that of kAlgorithmNames. EdDSA is Ed25519 alone.
enum class SignatureAlgorithm : std::uint8_t { kHs256, kRs256, kEs256, kEdDsa };
inline constexpr std::array<std::string_view, 4> kAlgorithmNames{"HS256", "RS256", "ES256", "EdDSA"};

inline constexpr std::size_t kHmacSecretBytesMin = 32;  // RFC 7518, section 3.2
inline constexpr int kRsaBitsMin = 2'048;               // RFC 7518, section 3.3
inline constexpr int kRsaBitsMax = 8'192;               // a check takes some 0.2 ms

class VerifyingKey {
 public:
  using PublicKey = std::shared_ptr<evp_pkey_st>;
  // Takes ownership of what OpenSSL made. Null stays null, and what it said about that is forgotten: TLS on
  // this thread reads the same queue of errors.
  static PublicKey owned(evp_pkey_st* key);

  // For HS256. kBadConfig: it is shorter than kHmacSecretBytesMin.
  static Result<VerifyingKey> of_secret(std::string secret, std::string id = {});
  // An RSA key is for RS256, one of the curve P-256 for ES256, and an Ed25519 key for EdDSA. kBadConfig: it
  // is of another kind, or its size is outside kRsaBitsMin to kRsaBitsMax.
  static Result<VerifyingKey> of_public(PublicKey key, std::string id = {});

  [[nodiscard]] SignatureAlgorithm algorithm() const { return algorithm_; }
  // The `kid` of tokens that it signs; empty: it has none.
  [[nodiscard]] const std::string& id() const { return id_; }
  // `signature` as it stands in a token (of ES256: r and s, 32 bytes each).
  [[nodiscard]] bool verify(std::string_view text, std::string_view signature) const;

 private:
  VerifyingKey(SignatureAlgorithm algorithm, std::string id, std::string secret, PublicKey key)
      : algorithm_(algorithm), id_(std::move(id)), secret_(std::move(secret)), public_(std::move(key)) {}

  SignatureAlgorithm algorithm_;
  std::string id_;
  std::string secret_;  // of HS256
  PublicKey public_;    // of the others
};

}  // namespace tickwire
