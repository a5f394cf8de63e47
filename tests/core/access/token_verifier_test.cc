#include "access/token_verifier.h"

#include <gtest/gtest.h>

#include <vector>

#include "access/jws.h"
#include "fakes/token_maker.h"
#include "protocol/command.h"

namespace tickwire {
namespace {

using nlohmann::json;

constexpr std::int64_t kNowS = 1'800'000'000;
constexpr std::array kAlgorithms{SignatureAlgorithm::kHs256, SignatureAlgorithm::kRs256,
                                 SignatureAlgorithm::kEs256, SignatureAlgorithm::kEdDsa};

const TokenMaker& maker(SignatureAlgorithm algorithm) {
  static const std::array kMakers{TokenMaker(kAlgorithms[0]), TokenMaker(kAlgorithms[1]),
                                  TokenMaker(kAlgorithms[2]), TokenMaker(kAlgorithms[3])};
  return kMakers.at(static_cast<std::size_t>(algorithm));
}

TokenRules rules_of(const TokenMaker& maker) {
  TokenRules rules;
  rules.keys = {maker.key()};
  return rules;
}

// One issuer with an Ed25519 key, where the algorithm does not matter.
struct Issuer {
  // "": it is valid. Else how it is refused.
  [[nodiscard]] std::string judge(const std::string& token) const {
    const auto judged = TokenVerifier(rules).verify(token, kNowS * 1'000);
    if (judged) return "";
    EXPECT_LT(judged.error().message.size(), 200U);
    if (token.size() > 8) {
      EXPECT_EQ(judged.error().message.find(token.substr(0, 8)), std::string::npos);
    }
    return judged.error().message;
  }
  [[nodiscard]] std::string judge(const json& claims) const { return judge(made.token(claims)); }
  [[nodiscard]] std::string judge_texts(std::string_view header, std::string_view claims) const {
    return judge(made.signed_texts(header, claims));
  }

  const TokenMaker& made = maker(SignatureAlgorithm::kEdDsa);
  TokenRules rules = rules_of(made);
};

json claims(std::int64_t lifetime_s = 60) {
  return {{"sub", "u1"}, {"exp", kNowS + lifetime_s}};
}

class EachAlgorithm : public testing::TestWithParam<SignatureAlgorithm> {};
INSTANTIATE_TEST_SUITE_P(Token, EachAlgorithm, testing::ValuesIn(kAlgorithms), [](const auto& info) {
  return std::string(kAlgorithmNames.at(static_cast<std::size_t>(info.param)));
});

TEST_P(EachAlgorithm, ATokenIsTakenAndSaysWhatItGrantsAndUntilWhen) {
  const TokenMaker& made = maker(GetParam());
  json given = claims();
  given["tickwire"] = {{"subscribe", {"ticker.>"}}, {"publish", {"chat.*"}}, {"max_rate", 2}};
  const auto judged = TokenVerifier(rules_of(made)).verify(made.token(given), kNowS * 1'000);
  ASSERT_TRUE(judged) << judged.error().message;
  EXPECT_EQ(json::parse(judged->claims), given);
  const TokenGrant& grant = *judged->grant;
  EXPECT_EQ(grant.expires_ms, (kNowS + 60) * 1'000);
  EXPECT_EQ(grant.max_rate, 2);
  EXPECT_TRUE(grant.lets_subscribe("ticker.a") && grant.lets_subscribe("ticker.*") &&
              grant.lets_publish("chat.a"));
  EXPECT_FALSE(grant.lets_subscribe("chat.a") || grant.lets_subscribe(">") || grant.lets_publish("ticker.a"));
}

TEST_P(EachAlgorithm, AnyChangedPartIsRefused) {
  const TokenMaker& made = maker(GetParam());
  const TokenVerifier verifier(rules_of(made));
  const std::string token = made.token(claims());
  const Jws jws = read_jws(token).value();
  const auto refused = [&](const std::string& changed) {
    const auto judged = verifier.verify(changed, kNowS * 1'000);
    return !judged && judged.error().code == ErrorCode::kBadMessage;
  };
  const std::string longer = base64url(claims(3'600).dump());
  EXPECT_TRUE(refused(token.substr(0, token.find('.') + 1) + longer + token.substr(token.rfind('.'))));
  for (std::size_t at : {std::size_t{0}, jws.signature.size() / 2, jws.signature.size() - 1}) {
    std::string signature = jws.signature;
    signature[at] = static_cast<char>(signature[at] ^ 1);
    EXPECT_TRUE(refused(std::string(jws.signed_text) + "." + base64url(signature))) << at;
  }
  EXPECT_TRUE(refused(std::string(jws.signed_text) + "."));
  EXPECT_TRUE(refused(std::string(jws.signed_text) + "." + base64url(jws.signature + "x")));
  EXPECT_TRUE(refused(std::string(jws.signed_text) + "." + base64url(jws.signature.substr(1))));
}

TEST_P(EachAlgorithm, AnotherKeyOfTheSameKindIsRefused) {
  const TokenMaker other = GetParam() == SignatureAlgorithm::kHs256 ? TokenMaker(SignatureAlgorithm::kHs256)
                                                                    : TokenMaker(GetParam());
  TokenRules rules = rules_of(other);
  if (GetParam() == SignatureAlgorithm::kHs256) {
    rules.keys = {VerifyingKey::of_secret(std::string(kHmacSecretBytesMin, 'x')).value()};
  }
  EXPECT_FALSE(TokenVerifier(rules).verify(maker(GetParam()).token(claims()), kNowS * 1'000));
}

TEST_P(EachAlgorithm, TheAlgorithmIsTheKeysAndNotTheTokens) {
  const TokenMaker& made = maker(GetParam());
  const TokenVerifier verifier(rules_of(made));
  for (const std::string alg :
       {"none", "None", "HS256", "RS256", "ES256", "EdDSA", "HS512", "PS256", "ES256K", ""}) {
    if (alg == kAlgorithmNames.at(static_cast<std::size_t>(GetParam()))) continue;
    const std::string header = json{{"alg", alg}}.dump();
    EXPECT_FALSE(verifier.verify(made.signed_texts(header, claims().dump()), kNowS * 1'000)) << alg;
    const std::string unsigned_text = base64url(header) + "." + base64url(claims().dump());
    EXPECT_FALSE(verifier.verify(unsigned_text + ".", kNowS * 1'000)) << alg;
  }
}

TEST(Token, AnRsaKeyIsNotTakenForASecret) {
  const TokenMaker& rsa = maker(SignatureAlgorithm::kRs256);
  const std::string text = base64url(R"({"alg":"HS256"})") + "." + base64url(claims().dump());
  const std::string token = text + "." + base64url(TokenMaker::hmac(rsa.pem(), text));
  EXPECT_FALSE(TokenVerifier(rules_of(rsa)).verify(token, kNowS * 1'000));
  TokenRules both = rules_of(rsa);
  both.keys.push_back(maker(SignatureAlgorithm::kHs256).key());
  EXPECT_FALSE(TokenVerifier(both).verify(token, kNowS * 1'000));
}

TEST(Token, TheKidChoosesAmongKeysAndAKeyWithoutOneIsTriedForAny) {
  const TokenMaker one(SignatureAlgorithm::kEdDsa);
  const TokenMaker two(SignatureAlgorithm::kEdDsa);
  TokenRules rules;
  rules.keys = {one.key("one"), two.key("two")};
  const auto taken = [&rules](const std::string& token) {
    return TokenVerifier(rules).verify(token, kNowS * 1'000).ok();
  };
  EXPECT_TRUE(taken(one.token(claims(), "one")));
  EXPECT_TRUE(taken(two.token(claims(), "two")));
  EXPECT_TRUE(taken(two.token(claims()))) << "without a kid each key is tried";
  EXPECT_FALSE(taken(one.token(claims(), "two")));
  EXPECT_FALSE(taken(one.token(claims(), "three")));
  rules.keys = {one.key()};
  EXPECT_TRUE(taken(one.token(claims(), "three")));
}

TEST(Token, AKidOfAKeyOfAnotherAlgorithmIsOfNoUse) {
  const TokenMaker& secret = maker(SignatureAlgorithm::kHs256);
  const TokenMaker& rsa = maker(SignatureAlgorithm::kRs256);
  TokenRules rules;
  rules.keys = {secret.key("one"), rsa.key("two")};
  const TokenVerifier verifier(rules);
  EXPECT_TRUE(verifier.verify(rsa.token(claims(), "two"), kNowS * 1'000));
  EXPECT_FALSE(verifier.verify(rsa.token(claims(), "one"), kNowS * 1'000));
  EXPECT_FALSE(verifier.verify(secret.token(claims(), "two"), kNowS * 1'000));
}

// r and s are numbers from 1 to the order of the curve less 1; some readers took 0 and 0 for good
// (CVE-2022-21449).
TEST(Token, AnEs256SignatureOfNumbersOutsideTheirRangeIsRefused) {
  const TokenMaker& made = maker(SignatureAlgorithm::kEs256);
  const TokenVerifier verifier(rules_of(made));
  const std::string token = made.token(claims());
  const std::string text(read_jws(token).value().signed_text);
  const std::string signature = read_jws(token).value().signature;
  const std::string zero(32, '\0');
  const std::string one = zero.substr(1) + '\1';
  const std::string order = "\xFF\xFF\xFF\xFF" + zero.substr(0, 4) + std::string(8, '\xFF') +
                            "\xBC\xE6\xFA\xAD\xA7\x17\x9E\x84\xF3\xB9\xCA\xC2\xFC\x63\x25\x51";
  const std::string r = signature.substr(0, 32);
  const std::string s = signature.substr(32);
  for (const std::string& bad : {zero + zero, zero + s, r + zero, one + one, order + s, r + order,
                                 order + order, std::string(64, '\xFF'), s + r, r, signature + zero,
                                 zero + signature, "\x30\x06\x02\x01\x01\x02\x01\x01" + zero}) {
    EXPECT_FALSE(verifier.verify(text + "." + base64url(bad), kNowS * 1'000));
  }
  EXPECT_TRUE(verifier.verify(text + "." + base64url(signature), kNowS * 1'000));
}

TEST(Token, ATimeThatIsNoNumberOfJsonIsRefused) {
  const Issuer issuer;
  const auto judge = [&issuer](const std::string& time) {
    return issuer.judge_texts(R"({"alg":"EdDSA"})", R"({"exp":)" + time + "}");
  };
  EXPECT_EQ(judge("1800000060.5"), "");
  EXPECT_EQ(judge("18000000600e-1"), "");
  EXPECT_NE(judge("99999999999999999999999").find("lives longer"), std::string::npos)
      << "more than an int64 holds";
  for (const std::string bad :
       {"NaN", "Infinity", "-Infinity", "1e400", "-1e400", "0x7FFFFFFF", "01800000060", "+1800000060", "1.",
        "", "true", "[1800000060]", "{}", "\"1800000060\"", "1800000060,", "1800000060}{"}) {
    EXPECT_NE(judge(bad), "") << bad;
  }
  EXPECT_EQ(judge("-99999999999999999999999"), "has expired");
  EXPECT_EQ(judge("-0.0"), "has expired");
}

TEST(Token, TimesAreCheckedWithTheLeeway) {
  Issuer issuer;
  EXPECT_EQ(issuer.judge(claims(1)), "");
  EXPECT_EQ(issuer.judge(claims(0)), "has expired");
  EXPECT_EQ(issuer.judge(json{{"sub", "u1"}}), "has no exp, the time when it expires");
  EXPECT_EQ(issuer.judge(json{{"exp", "never"}}), "has an exp, nbf or iat that is not a number");
  EXPECT_EQ(issuer.judge(json{{"exp", nullptr}}), "has an exp, nbf or iat that is not a number");
  EXPECT_EQ(issuer.judge(json{{"exp", kNowS + 1}, {"iat", "now"}}),
            "has an exp, nbf or iat that is not a number");
  EXPECT_EQ(issuer.judge(json{{"exp", -1e300}}), "has expired");
  EXPECT_EQ(issuer.judge(json{{"exp", kNowS + 0.5}}), "");
  json early = claims();
  early["nbf"] = kNowS + 1;
  EXPECT_EQ(issuer.judge(early), "is not valid yet");
  early["nbf"] = kNowS;
  EXPECT_EQ(issuer.judge(early), "");
  issuer.rules.leeway_s = 10;
  EXPECT_EQ(issuer.judge(claims(-9)), "");
  EXPECT_EQ(issuer.judge(claims(-10)), "has expired");
  early["nbf"] = kNowS + 10;
  EXPECT_EQ(issuer.judge(early), "");
  early["nbf"] = kNowS + 11;
  EXPECT_EQ(issuer.judge(early), "is not valid yet");
}

TEST(Token, NoneMayLiveLongerThanItsRevocationIsKept) {
  Issuer issuer;
  issuer.rules.max_age_s = 3'600;
  const std::string refused = "lives longer than the 3600 s that auth.jwt.max_age_s allows";
  EXPECT_EQ(issuer.judge(claims(3'600)), "");
  EXPECT_EQ(issuer.judge(claims(3'601)), refused);
  EXPECT_EQ(issuer.judge(json{{"exp", 1e300}}), refused);
  const auto issued = [](std::int64_t ago_s, std::int64_t lifetime_s) {
    return json{{"iat", kNowS - ago_s}, {"exp", kNowS - ago_s + lifetime_s}};
  };
  EXPECT_EQ(issuer.judge(issued(100, 3'600)), "");
  EXPECT_EQ(issuer.judge(issued(100, 3'601)), refused) << "also near its end";
  EXPECT_EQ(issuer.judge(issued(-100, 3'600)), refused) << "a time of issue in the future is no way around";
  issuer.rules.leeway_s = 10;
  EXPECT_EQ(issuer.judge(claims(3'610)), "");
  EXPECT_EQ(issuer.judge(claims(3'611)), refused);
  EXPECT_EQ(token_life_ms(issuer.rules), 3'620'000);
}

TEST(Token, ARevokedSubjectsTokensAreRefusedUntilTheyHaveExpired) {
  const TokenMaker& made = maker(SignatureAlgorithm::kEdDsa);
  TokenRules rules = rules_of(made);
  rules.max_age_s = 600;
  rules.leeway_s = 10;
  Revocations revocations(token_life_ms(rules));
  const TokenVerifier verifier(rules, &revocations);
  const auto judge = [&](const json& given, std::int64_t at_s = kNowS) {
    const auto judged = verifier.verify(made.token(given), at_s * 1'000);
    return judged ? "" : judged.error().message;
  };
  const auto token = [](std::int64_t issued_s, std::int64_t lifetime_s = 600) {
    return json{{"sub", "u1"}, {"iat", issued_s}, {"exp", issued_s + lifetime_s}};
  };
  ASSERT_TRUE(revocations.add({"u1", kNowS * 1'000}, kNowS * 1'000));
  EXPECT_EQ(judge(token(kNowS)), "was revoked");
  EXPECT_EQ(judge(token(kNowS - 60)), "was revoked");
  EXPECT_EQ(judge(claims()), "was revoked") << "it does not say when it was issued";
  EXPECT_EQ(judge(token(kNowS + 1)), "");
  EXPECT_EQ(judge(json{{"sub", "u2"}, {"exp", kNowS + 60}}), "");
  EXPECT_EQ(judge(json{{"exp", kNowS + 60}}), "");
  // The last of them expires before the revocation is forgotten.
  const std::int64_t last_s = kNowS + 610 - 1;
  EXPECT_EQ(judge(token(kNowS), last_s), "was revoked");
  EXPECT_EQ(judge(token(kNowS), last_s + 1), "has expired");
  EXPECT_EQ(judge(json{{"sub", "u1"}, {"exp", kNowS + 610}}, kNowS + 619), "was revoked");
  EXPECT_EQ(judge(json{{"sub", "u1"}, {"exp", kNowS + 610}}, kNowS + 620), "has expired");
}

TEST(Token, ASubjectThatIsNoTextIsRefused) {
  const Issuer issuer;
  for (const json& sub : {json(7), json(nullptr), json::array({"u1"}), json::object(), json(true)}) {
    EXPECT_EQ(issuer.judge(json{{"sub", sub}, {"exp", kNowS + 60}}), "has a sub that is not a text") << sub;
  }
  EXPECT_EQ(issuer.judge(json{{"sub", ""}, {"exp", kNowS + 60}}), "");
}

TEST(Token, TheIssuerAndTheAudienceMustBeOurs) {
  Issuer issuer;
  json given = claims();
  given["aud"] = "tickwire";
  EXPECT_NE(issuer.judge(given), "") << "for somebody, and nobody says that this is us";
  issuer.rules.audience = "tickwire";
  EXPECT_EQ(issuer.judge(given), "");
  EXPECT_NE(issuer.judge(claims()), "");
  for (const json& aud :
       {json("other"), json::array(), json{"other"}, json{{"tickwire", 1}}, json(nullptr), json(1)}) {
    given["aud"] = aud;
    EXPECT_EQ(issuer.judge(given), "is not for the audience that auth.jwt.audience names") << aud;
  }
  given["aud"] = {"other", "tickwire"};
  EXPECT_EQ(issuer.judge(given), "");
  issuer.rules.issuer = "https://id.example";
  EXPECT_EQ(issuer.judge(given), "is not of the issuer that auth.jwt.issuer names");
  given["iss"] = {"https://id.example"};
  EXPECT_NE(issuer.judge(given), "");
  given["iss"] = "https://id.example";
  EXPECT_EQ(issuer.judge(given), "");
}

TEST(Token, CritAndDuplicatesAreRefused) {
  const Issuer issuer;
  const std::string good = claims().dump();
  EXPECT_EQ(issuer.judge_texts(R"({"alg":"EdDSA"})", good), "");
  EXPECT_NE(issuer.judge_texts(R"({"alg":"EdDSA","crit":["exp"]})", good), "");
  EXPECT_NE(issuer.judge_texts(R"({"alg":"EdDSA","crit":[]})", good), "");
  EXPECT_NE(issuer.judge_texts(R"({"alg":"none","alg":"EdDSA"})", good), "");
  EXPECT_NE(issuer.judge_texts(R"({"alg":"EdDSA","kid":7})", good), "");
  EXPECT_NE(issuer.judge_texts(R"(["EdDSA"])", good), "");
  const std::string end = std::to_string(kNowS + 60);
  for (const std::string& twice : {
           R"({"exp":1,"exp":)" + end + "}",
           R"({"exp":1,"\u0065xp":)" + end + "}",
           R"({"tickwire":{"subscribe":["a"],"subscribe":[">"]},"exp":)" + end + "}",
           R"({"tickwire":{},"x":[{"a":1,"a":2}],"exp":)" + end + "}",
       }) {
    EXPECT_NE(issuer.judge_texts(R"({"alg":"EdDSA"})", twice).find("twice"), std::string::npos) << twice;
  }
  EXPECT_NE(issuer.judge_texts(R"({"alg":"EdDSA"})", "[]"), "");
  EXPECT_NE(issuer.judge_texts(R"({"alg":"EdDSA"})", "{\"exp\":" + end + ",\"x\":\"\xFF\"}"), "");
}

TEST(Token, WhatIsNoTokenIsRefused) {
  const Issuer issuer;
  const std::string token = issuer.made.token(claims());
  for (const std::string& text :
       {std::string(), std::string("."), std::string(".."), std::string("a.b.c.d.e"), std::string("eyJ"),
        token + ".", token + "=", token + "\n", " " + token, "Bearer " + token,
        token.substr(0, token.rfind('.')), std::string(kTokenBytesMax, '.'),
        std::string(kTokenBytesMax, 'A')}) {
    EXPECT_NE(issuer.judge(text), "") << text.substr(0, 20);
  }
}

TEST(Token, TheSizeIsBounded) {
  const Issuer issuer;
  json given = claims();
  given["x"] = "";
  const std::size_t rest = (issuer.made.token(given).size());
  given["x"] = std::string((kTokenBytesMax - rest) * 3 / 4 - 2, 'x');
  EXPECT_LE(issuer.made.token(given).size(), kTokenBytesMax);
  EXPECT_EQ(issuer.judge(given), "");
  given["x"] = std::string((kTokenBytesMax - rest) * 3 / 4 + 4, 'x');
  EXPECT_EQ(issuer.judge(given), "is longer than 8192 bytes");
}

TEST(Token, NewRulesHoldAtOnce) {
  const TokenMaker one(SignatureAlgorithm::kEdDsa);
  const TokenMaker two(SignatureAlgorithm::kEdDsa);
  TokenVerifier verifier(rules_of(one));
  verifier.replace(rules_of(two));
  EXPECT_FALSE(verifier.verify(one.token(claims()), kNowS * 1'000));
  EXPECT_TRUE(verifier.verify(two.token(claims()), kNowS * 1'000));
}

TEST(Token, TheGrantIsReadStrictly) {
  Issuer issuer;
  const auto judge = [&issuer](const json& grant) {
    json given = claims();
    given["tickwire"] = grant;
    return issuer.judge(given);
  };
  EXPECT_EQ(judge(json::object()), "");
  EXPECT_EQ(judge({{"subscribe", json::array()}}), "");
  EXPECT_NE(judge("all"), "");
  EXPECT_NE(judge({{"subscribe", "ticker.>"}}), "");
  EXPECT_NE(judge({{"subscribe", {"ticker..a"}}}), "");
  EXPECT_NE(judge({{"subscribe", {1}}}), "");
  EXPECT_NE(judge({{"max_rate", 0}}), "");
  EXPECT_NE(judge({{"max_rate", "2"}}), "");
  EXPECT_NE(judge({{"max_rat", 2}}), "") << "a misspelled limit is no limit";
  issuer.rules.claim = "https://example.com/rights";
  EXPECT_EQ(judge("all"), "") << "another claim is asked for";
}

}  // namespace
}  // namespace tickwire
