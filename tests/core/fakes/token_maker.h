// TokenMaker: an issuer of tokens, with a fresh key of one algorithm.
#pragma once

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>

#include <array>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "access/verifying_key.h"

namespace tickwire {

inline std::string base64url(std::string_view bytes) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t bits = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      bits = bits << 8U | (i + j < bytes.size() ? static_cast<unsigned char>(bytes[i + j]) : 0U);
    }
    for (unsigned shift : {18U, 12U, 6U, 0U}) text += kAlphabet[bits >> shift & 0x3FU];
  }
  text.resize((bytes.size() * 8 + 5) / 6);
  return text;
}

class TokenMaker {
 public:
  explicit TokenMaker(SignatureAlgorithm algorithm, int rsa_bits = 2'048) : algorithm_(algorithm) {
    switch (algorithm) {
      case SignatureAlgorithm::kHs256:
        secret_ = "a secret of thirty-two bytes, or more";
        return;
      case SignatureAlgorithm::kRs256:
        key_.reset(EVP_RSA_gen(static_cast<unsigned>(rsa_bits)), &EVP_PKEY_free);
        return;
      case SignatureAlgorithm::kEs256:
        key_.reset(EVP_EC_gen("P-256"), &EVP_PKEY_free);
        return;
      case SignatureAlgorithm::kEdDsa:
        key_.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), &EVP_PKEY_free);
    }
  }

  [[nodiscard]] VerifyingKey key(const std::string& id = "") const {
    return algorithm_ == SignatureAlgorithm::kHs256 ? VerifyingKey::of_secret(secret_, id).value()
                                                    : VerifyingKey::of_public(key_, id).value();
  }
  [[nodiscard]] const std::string& secret() const { return secret_; }
  [[nodiscard]] std::string pem() const {
    const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), &BIO_free);
    PEM_write_bio_PUBKEY(out.get(), key_.get());
    return text_in(out.get());
  }
  [[nodiscard]] std::string private_pem() const {
    const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), &BIO_free);
    PEM_write_bio_PrivateKey(out.get(), key_.get(), nullptr, nullptr, 0, nullptr, nullptr);
    return text_in(out.get());
  }
  // As an entry of a JSON Web Key Set.
  [[nodiscard]] nlohmann::json jwk(const std::string& id) const {
    nlohmann::json key{{"kid", id}};
    switch (algorithm_) {
      case SignatureAlgorithm::kHs256:
        key.update({{"kty", "oct"}, {"k", base64url(secret_)}});
        break;
      case SignatureAlgorithm::kRs256:
        key.update(
            {{"kty", "RSA"}, {"n", number(OSSL_PKEY_PARAM_RSA_N)}, {"e", number(OSSL_PKEY_PARAM_RSA_E)}});
        break;
      case SignatureAlgorithm::kEs256:
        key.update({{"kty", "EC"},
                    {"crv", "P-256"},
                    {"x", number(OSSL_PKEY_PARAM_EC_PUB_X, 32)},
                    {"y", number(OSSL_PKEY_PARAM_EC_PUB_Y, 32)}});
        break;
      case SignatureAlgorithm::kEdDsa: {
        std::array<unsigned char, 32> bytes{};
        std::size_t size = bytes.size();
        EVP_PKEY_get_raw_public_key(key_.get(), bytes.data(), &size);
        key.update({{"kty", "OKP"},
                    {"crv", "Ed25519"},
                    {"x", base64url({reinterpret_cast<const char*>(bytes.data()), size})}});
      }
    }
    return key;
  }

  // With the header that belongs to the key, and `id` as kid where it is not empty.
  [[nodiscard]] std::string token(const nlohmann::json& claims, const std::string& id = "") const {
    nlohmann::json header{{"alg", kAlgorithmNames.at(static_cast<std::size_t>(algorithm_))}};
    if (!id.empty()) header["kid"] = id;
    return signed_texts(header.dump(), claims.dump());
  }
  // Of texts as they are.
  [[nodiscard]] std::string signed_texts(std::string_view header, std::string_view claims) const {
    const std::string text = base64url(header) + "." + base64url(claims);
    return text + "." + base64url(sign(text));
  }
  [[nodiscard]] std::string sign(std::string_view text) const {
    if (algorithm_ == SignatureAlgorithm::kHs256) return hmac(secret_, text);
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
    const EVP_MD* digest = algorithm_ == SignatureAlgorithm::kEdDsa ? nullptr : EVP_sha256();
    EVP_DigestSignInit(context.get(), nullptr, digest, nullptr, key_.get());
    const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
    std::size_t size = 0;
    EVP_DigestSign(context.get(), nullptr, &size, bytes, text.size());
    std::string signature(size, '\0');
    EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, bytes,
                   text.size());
    signature.resize(size);
    return algorithm_ == SignatureAlgorithm::kEs256 ? raw(signature) : signature;
  }
  static std::string hmac(std::string_view secret, std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
    unsigned size = 0;
    HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
         reinterpret_cast<const unsigned char*>(text.data()), text.size(), out.data(), &size);
    return {reinterpret_cast<const char*>(out.data()), size};
  }

 private:
  static std::string text_in(BIO* out) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(out, &data);
    return {data, static_cast<std::size_t>(size)};
  }
  // `size` 0: as many bytes as it has.
  [[nodiscard]] std::string number(const char* name, int size = 0) const {
    BIGNUM* found = nullptr;
    EVP_PKEY_get_bn_param(key_.get(), name, &found);
    const std::unique_ptr<BIGNUM, decltype(&BN_free)> owned(found, &BN_free);
    std::string bytes(static_cast<std::size_t>(size > 0 ? size : BN_num_bytes(found)), '\0');
    BN_bn2binpad(found, reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
    return base64url(bytes);
  }
  // r and s of an ECDSA signature in DER.
  static std::string raw(const std::string& der) {
    const auto* at = reinterpret_cast<const unsigned char*>(der.data());
    const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> both(
        d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())), &ECDSA_SIG_free);
    std::string out(64, '\0');
    auto* bytes = reinterpret_cast<unsigned char*>(out.data());
    BN_bn2binpad(ECDSA_SIG_get0_r(both.get()), bytes, 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(both.get()), bytes + 32, 32);
    return out;
  }

  const SignatureAlgorithm algorithm_;
  std::string secret_;
  VerifyingKey::PublicKey key_;
};

}  // namespace tickwire
