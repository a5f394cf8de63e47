#include "access/verifying_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <utility>

namespace tickwire {
namespace {

constexpr std::size_t kEs256HalfBytes = 32;
constexpr std::size_t kEd25519SignatureBytes = 64;

const unsigned char* signed_bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

Error unusable(std::string what) {
  return {ErrorCode::kBadConfig, std::move(what), ""};
}

bool is_p256(EVP_PKEY* key) {
  std::array<char, 64> name{};
  std::size_t size = 0;
  if (EVP_PKEY_get_group_name(key, name.data(), name.size(), &size) != 1) return false;
  return std::string_view(name.data(), size) == "prime256v1";
}

bool verify_hmac(std::string_view secret, std::string_view text, std::string_view signature) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> expected{};
  unsigned size = 0;
  if (HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), signed_bytes(text), text.size(),
           expected.data(), &size) == nullptr) {
    return false;
  }
  return signature.size() == size && CRYPTO_memcmp(expected.data(), signature.data(), size) == 0;
}

// `digest` null: the algorithm has its own.
bool verify_public(EVP_PKEY* key, const EVP_MD* digest, std::string_view text, std::string_view signature) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  const bool good = context != nullptr &&
                    EVP_DigestVerifyInit(context.get(), nullptr, digest, nullptr, key) == 1 &&
                    EVP_DigestVerify(context.get(), signed_bytes(signature), signature.size(),
                                     signed_bytes(text), text.size()) == 1;
  // TLS on this thread reads the same queue of errors, and would take ours for one of a connection.
  if (!good) ERR_clear_error();
  return good;
}

// r and s of 32 bytes each, as ECDSA-Sig-Value of X9.62, which OpenSSL reads; empty: they are not that.
std::string der_of(std::string_view signature) {
  if (signature.size() != 2 * kEs256HalfBytes) return {};
  const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> both(ECDSA_SIG_new(), &ECDSA_SIG_free);
  BIGNUM* r = BN_bin2bn(signed_bytes(signature), kEs256HalfBytes, nullptr);
  BIGNUM* s = BN_bin2bn(signed_bytes(signature.substr(kEs256HalfBytes)), kEs256HalfBytes, nullptr);
  if (both == nullptr || r == nullptr || s == nullptr || ECDSA_SIG_set0(both.get(), r, s) != 1) {
    BN_free(r);
    BN_free(s);
    return {};
  }
  unsigned char* out = nullptr;
  const int size = i2d_ECDSA_SIG(both.get(), &out);
  if (size <= 0) return {};
  std::string der(reinterpret_cast<const char*>(out), static_cast<std::size_t>(size));
  OPENSSL_free(out);
  return der;
}

}  // namespace

VerifyingKey::PublicKey VerifyingKey::owned(evp_pkey_st* key) {
  if (key == nullptr) ERR_clear_error();
  return {key, &EVP_PKEY_free};
}

Result<VerifyingKey> VerifyingKey::of_secret(std::string secret, std::string id) {
  if (secret.size() < kHmacSecretBytesMin) {
    return unusable("a secret of " + std::to_string(secret.size()) + " bytes; HS256 needs at least " +
                    std::to_string(kHmacSecretBytesMin));
  }
  return VerifyingKey(SignatureAlgorithm::kHs256, std::move(id), std::move(secret), nullptr);
}

Result<VerifyingKey> VerifyingKey::of_public(PublicKey key, std::string id) {
  switch (EVP_PKEY_get_base_id(key.get())) {
    case EVP_PKEY_RSA: {
      const int bits = EVP_PKEY_get_bits(key.get());
      if (bits < kRsaBitsMin || bits > kRsaBitsMax) {
        return unusable("an RSA key of " + std::to_string(bits) + " bits; RS256 takes " +
                        std::to_string(kRsaBitsMin) + " to " + std::to_string(kRsaBitsMax));
      }
      return VerifyingKey(SignatureAlgorithm::kRs256, std::move(id), {}, std::move(key));
    }
    case EVP_PKEY_EC:
      if (!is_p256(key.get())) return unusable("an EC key of another curve than P-256, the one of ES256");
      return VerifyingKey(SignatureAlgorithm::kEs256, std::move(id), {}, std::move(key));
    case EVP_PKEY_ED25519:
      return VerifyingKey(SignatureAlgorithm::kEdDsa, std::move(id), {}, std::move(key));
    default:
      return unusable("a key of a kind that is not used here; there are RSA, EC P-256 and Ed25519");
  }
}

bool VerifyingKey::verify(std::string_view text, std::string_view signature) const {
  switch (algorithm_) {
    case SignatureAlgorithm::kHs256:
      return verify_hmac(secret_, text, signature);
    case SignatureAlgorithm::kRs256:
      return verify_public(public_.get(), EVP_sha256(), text, signature);
    case SignatureAlgorithm::kEs256: {
      const std::string der = der_of(signature);
      return !der.empty() && verify_public(public_.get(), EVP_sha256(), text, der);
    }
    case SignatureAlgorithm::kEdDsa:
      return signature.size() == kEd25519SignatureBytes &&
             verify_public(public_.get(), nullptr, text, signature);
  }
  return false;
}

}  // namespace tickwire
