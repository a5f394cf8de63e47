#include <gtest/gtest.h>

#include "access/base64url.h"
#include "access/jwks.h"
#include "access/pem_keys.h"
#include "fakes/token_maker.h"

namespace tickwire {
namespace {

using nlohmann::json;

json set_of(const std::vector<json>& keys) {
  return {{"keys", keys}};
}

bool verifies(const VerifyingKey& key, const TokenMaker& maker) {
  return key.verify("a text", maker.sign("a text")) && !key.verify("another", maker.sign("a text"));
}

TEST(Base64Url, HasOneSpellingForEachText) {
  EXPECT_EQ(decode_base64url(""), "");
  EXPECT_EQ(decode_base64url("YQ"), "a");
  EXPECT_EQ(decode_base64url("YWI"), "ab");
  EXPECT_EQ(decode_base64url("YWJj"), "abc");
  EXPECT_EQ(decode_base64url("-_-_"), "\xFB\xFF\xBF");
  for (const std::string_view bad :
       {"Y", "YWJjY", "YQ==", "YR", "YWJ", "+/+/", "YW J", "YWJj\n", "\xFF\xFF\xFF\xFF"}) {
    EXPECT_EQ(decode_base64url(bad), std::nullopt) << bad;
  }
}

TEST(Keys, EachKindIsReadFromPemAndFromASet) {
  for (const auto algorithm :
       {SignatureAlgorithm::kRs256, SignatureAlgorithm::kEs256, SignatureAlgorithm::kEdDsa}) {
    const TokenMaker maker(algorithm);
    const auto pem = read_pem_keys("a comment\n" + maker.pem());
    ASSERT_TRUE(pem) << pem.error().message;
    ASSERT_EQ(pem->size(), 1U);
    EXPECT_EQ(pem->front().algorithm(), algorithm);
    EXPECT_TRUE(verifies(pem->front(), maker));
  }
  for (const auto algorithm : {SignatureAlgorithm::kHs256, SignatureAlgorithm::kRs256,
                               SignatureAlgorithm::kEs256, SignatureAlgorithm::kEdDsa}) {
    const TokenMaker maker(algorithm);
    const auto set = read_jwks(set_of({maker.jwk("k1")}).dump());
    ASSERT_TRUE(set) << set.error().message;
    ASSERT_EQ(set->keys.size(), 1U);
    EXPECT_EQ(set->keys.front().algorithm(), algorithm);
    EXPECT_EQ(set->keys.front().id(), "k1");
    EXPECT_TRUE(verifies(set->keys.front(), maker));
  }
}

TEST(Keys, OnePemFileMayHoldSeveral) {
  const TokenMaker one(SignatureAlgorithm::kEs256);
  const TokenMaker two(SignatureAlgorithm::kEdDsa);
  const auto keys = read_pem_keys(one.pem() + two.pem());
  ASSERT_TRUE(keys) << keys.error().message;
  ASSERT_EQ(keys->size(), 2U);
  EXPECT_TRUE(verifies(keys->front(), one) && verifies(keys->back(), two));
}

TEST(Keys, WeakPrivateAndForeignKeysAreRefused) {
  EXPECT_FALSE(VerifyingKey::of_secret(std::string(kHmacSecretBytesMin - 1, 'x')));
  EXPECT_TRUE(VerifyingKey::of_secret(std::string(kHmacSecretBytesMin, 'x')));
  EXPECT_NE(read_pem_keys(TokenMaker(SignatureAlgorithm::kRs256, 1'024).pem()).error().message.find("1024"),
            std::string::npos);
  const TokenMaker good(SignatureAlgorithm::kEdDsa);
  EXPECT_NE(read_pem_keys(good.private_pem()).error().message.find("private"), std::string::npos);
  const VerifyingKey::PublicKey p384(EVP_EC_gen("P-384"), &EVP_PKEY_free);
  EXPECT_FALSE(VerifyingKey::of_public(p384));
  const VerifyingKey::PublicKey x25519(EVP_PKEY_Q_keygen(nullptr, nullptr, "X25519"), &EVP_PKEY_free);
  EXPECT_FALSE(VerifyingKey::of_public(x25519));
  for (const std::string bad : {"", "no key", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
                                "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}) {
    EXPECT_FALSE(read_pem_keys(bad)) << bad;
  }
}

TEST(Keys, ASetMayHoldWhatIsNotForUs) {
  const TokenMaker maker(SignatureAlgorithm::kEs256);
  json encryption = maker.jwk("e");
  encryption["use"] = "enc";
  json other_algorithm = maker.jwk("o");
  other_algorithm["alg"] = "ES512";
  json operations = maker.jwk("p");
  operations["key_ops"] = {"sign"};
  json good = maker.jwk("g");
  good.update({{"use", "sig"}, {"alg", "ES256"}, {"key_ops", {"verify"}}, {"x5c", {"..."}}});
  const auto set = read_jwks(
      set_of({encryption, {{"kty", "EC"}, {"crv", "P-521"}}, other_algorithm, operations, good}).dump());
  ASSERT_TRUE(set) << set.error().message;
  ASSERT_EQ(set->keys.size(), 1U);
  EXPECT_EQ(set->keys.front().id(), "g");
  EXPECT_EQ(set->warnings.size(), 4U);
}

TEST(Keys, ASetThatIsWrongIsRefused) {
  const TokenMaker maker(SignatureAlgorithm::kEs256);
  const json good = maker.jwk("k");
  json off_curve = good;
  off_curve["y"] = good["x"];
  json private_key = good;
  private_key["d"] = good["x"];
  json short_secret{{"kty", "oct"}, {"k", base64url(std::string(kHmacSecretBytesMin - 1, 'x'))}};
  json short_coordinate = good;
  short_coordinate["x"] = base64url("x");
  json odd_id = good;
  odd_id["kid"] = 7;
  const json small = TokenMaker(SignatureAlgorithm::kRs256, 1'024).jwk("r");
  json even_exponent = TokenMaker(SignatureAlgorithm::kRs256).jwk("r");
  even_exponent["e"] = base64url("\x02");
  for (const json& key :
       {off_curve, private_key, short_secret, short_coordinate, odd_id, small, even_exponent, json(7)}) {
    EXPECT_FALSE(read_jwks(set_of({key}).dump())) << key;
  }
  EXPECT_FALSE(read_jwks(set_of({good, good}).dump())) << "two of one id";
  EXPECT_FALSE(read_jwks(set_of({}).dump()));
  EXPECT_FALSE(read_jwks(good.dump()));
  EXPECT_FALSE(read_jwks("[]"));
  EXPECT_FALSE(read_jwks(R"({"keys":[],"keys":[]})"));
  EXPECT_FALSE(read_jwks(std::string(kJwksBytesMax, ' ') + set_of({good}).dump()));
}

}  // namespace
}  // namespace tickwire
