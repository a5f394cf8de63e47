#include "access/jwks.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "access/base64url.h"
#include "access/unique_json.h"

namespace tickwire {
namespace {

using nlohmann::json;
using BigNumber = std::unique_ptr<BIGNUM, decltype(&BN_free)>;

constexpr std::size_t kP256CoordinateBytes = 32;
constexpr std::size_t kEd25519KeyBytes = 32;

Error bad_set(std::string what) {
  return {ErrorCode::kBadConfig, std::move(what), ""};
}

const unsigned char* octets(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// Empty: it is absent, or no text.
std::string text_of(const json& key, const char* name) {
  const auto found = key.find(name);
  return found != key.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// Empty: it is absent, or not base64url.
std::string bytes_of(const json& key, const char* name) {
  return decode_base64url(text_of(key, name)).value_or("");
}

VerifyingKey::PublicKey from_data(const char* kind, OSSL_PARAM_BLD* parts) {
  const std::unique_ptr<OSSL_PARAM, decltype(&OSSL_PARAM_free)> given(OSSL_PARAM_BLD_to_param(parts),
                                                                      &OSSL_PARAM_free);
  const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(
      EVP_PKEY_CTX_new_from_name(nullptr, kind, nullptr), &EVP_PKEY_CTX_free);
  EVP_PKEY* key = nullptr;
  if (given != nullptr && context != nullptr && EVP_PKEY_fromdata_init(context.get()) == 1) {
    static_cast<void>(EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, given.get()));
  }
  return VerifyingKey::owned(key);
}

VerifyingKey::PublicKey read_rsa(const json& key) {
  const std::string modulus = bytes_of(key, "n");
  const std::string exponent = bytes_of(key, "e");
  if (modulus.empty() || exponent.empty() || exponent.size() > sizeof(std::uint64_t)) return nullptr;
  const BigNumber n(BN_bin2bn(octets(modulus), static_cast<int>(modulus.size()), nullptr), &BN_free);
  const BigNumber e(BN_bin2bn(octets(exponent), static_cast<int>(exponent.size()), nullptr), &BN_free);
  if (n == nullptr || e == nullptr || BN_is_odd(e.get()) == 0 || BN_is_one(e.get()) == 1) return nullptr;
  const std::unique_ptr<OSSL_PARAM_BLD, decltype(&OSSL_PARAM_BLD_free)> parts(OSSL_PARAM_BLD_new(),
                                                                              &OSSL_PARAM_BLD_free);
  if (parts == nullptr || OSSL_PARAM_BLD_push_BN(parts.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(parts.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1) {
    return nullptr;
  }
  return from_data("RSA", parts.get());
}

VerifyingKey::PublicKey read_p256(const json& key) {
  const std::string x = bytes_of(key, "x");
  const std::string y = bytes_of(key, "y");
  if (x.size() != kP256CoordinateBytes || y.size() != kP256CoordinateBytes) return nullptr;
  const std::string point = "\x04" + x + y;
  const std::unique_ptr<OSSL_PARAM_BLD, decltype(&OSSL_PARAM_BLD_free)> parts(OSSL_PARAM_BLD_new(),
                                                                              &OSSL_PARAM_BLD_free);
  if (parts == nullptr ||
      OSSL_PARAM_BLD_push_utf8_string(parts.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(parts.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) !=
          1) {
    return nullptr;
  }
  return from_data("EC", parts.get());
}

VerifyingKey::PublicKey read_ed25519(const json& key) {
  const std::string x = bytes_of(key, "x");
  if (x.size() != kEd25519KeyBytes) return nullptr;
  return VerifyingKey::owned(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, octets(x), x.size()));
}

// Why the key is passed over; nothing: it is for us.
std::optional<std::string> not_for_us(const json& key) {
  const std::string use = text_of(key, "use");
  if (!use.empty() && use != "sig") return "its use is not sig";
  const auto operations = key.find("key_ops");
  if (operations != key.end() && std::ranges::find(*operations, json("verify")) == operations->end()) {
    return "its key_ops have no verify";
  }
  const std::string kind = text_of(key, "kty");
  const std::string curve = text_of(key, "crv");
  std::string_view algorithm;
  if (kind == "oct") algorithm = "HS256";
  if (kind == "RSA") algorithm = "RS256";
  if (kind == "EC" && curve == "P-256") algorithm = "ES256";
  if (kind == "OKP" && curve == "Ed25519") algorithm = "EdDSA";
  if (algorithm.empty()) return "its kind or curve is not used here";
  const auto said = key.find("alg");
  if (said != key.end() && *said != algorithm) return "its alg is not " + std::string(algorithm);
  return std::nullopt;
}

Result<VerifyingKey> read_key(const json& key, std::string id) {
  const std::string kind = text_of(key, "kty");
  if (kind == "oct") {
    std::string secret = bytes_of(key, "k");
    return VerifyingKey::of_secret(std::move(secret), std::move(id));
  }
  if (key.contains("d")) return bad_set("holds its private part; the server needs the public one alone");
  VerifyingKey::PublicKey read = kind == "RSA"  ? read_rsa(key)
                                 : kind == "EC" ? read_p256(key)
                                                : read_ed25519(key);
  if (read == nullptr) return bad_set("is not a key of its kind");
  return VerifyingKey::of_public(std::move(read), std::move(id));
}

bool serves_the_same(const VerifyingKey& one, const VerifyingKey& other) {
  return !one.id().empty() && one.id() == other.id() && one.algorithm() == other.algorithm();
}

}  // namespace

Result<Jwks> read_jwks(std::string_view text) {
  const Result<json> tree = parse_unique_json(text, kJwksBytesMax);
  if (!tree) return bad_set("as a JSON Web Key Set: " + tree.error().message);
  const auto list = tree->find("keys");
  if (list == tree->end() || !list->is_array())
    return bad_set("has no keys, an array: it is no JSON Web Key Set");
  Jwks set;
  for (std::size_t i = 0; i < list->size(); ++i) {
    const json& key = (*list)[i];
    const std::string name = "key " + std::to_string(i + 1);
    if (!key.is_object()) return bad_set(name + " is not an object");
    if (const auto reason = not_for_us(key)) {
      set.warnings.push_back(name + " is passed over: " + *reason);
      continue;
    }
    const auto said = key.find("kid");
    std::string id = text_of(key, "kid");
    if (said != key.end() && (id.empty() || id.size() > kKeyIdBytesMax)) {
      return bad_set(name + ": kid must be a text of 1 to " + std::to_string(kKeyIdBytesMax) + " bytes");
    }
    Result<VerifyingKey> read = read_key(key, std::move(id));
    if (!read) return bad_set(name + ": " + read.error().message);
    if (std::ranges::any_of(set.keys,
                            [&](const VerifyingKey& other) { return serves_the_same(*read, other); })) {
      return bad_set(name + ": another key of the set has the same kid");
    }
    set.keys.push_back(std::move(*read));
  }
  if (set.keys.empty()) return bad_set("has no key that can be used; see auth.jwt.keys");
  return set;
}

}  // namespace tickwire
