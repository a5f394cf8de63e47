#include "access/token_verifier.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "access/jws.h"
#include "access/unique_json.h"
#include "base/work.h"
#include "protocol/command.h"

namespace tickwire {
namespace {

using nlohmann::json;

constexpr std::uint64_t kCheckSteps = 400;  // a signature: some 0.1 ms
constexpr double kTimeMax = 1e12;           // s: 30,000 years; a later time is as good as this one

Error invalid(std::string what) {
  return {ErrorCode::kDenied, std::move(what), ""};
}

// Whether `key` may have signed it. A `kid` that no key bears may still be that of a key without an id.
bool may_fit(const VerifyingKey& key, const Jws& jws) {
  if (kAlgorithmNames.at(static_cast<std::size_t>(key.algorithm())) != jws.algorithm) return false;
  return key.id().empty() || jws.key_id.empty() || key.id() == jws.key_id;
}

bool is_signed(const TokenRules& rules, const Jws& jws) {
  return std::ranges::any_of(rules.keys, [&jws](const VerifyingKey& key) {
    if (!may_fit(key, jws)) return false;
    Work::count(kCheckSteps);
    return key.verify(jws.signed_text, jws.signature);
  });
}

bool may_be_of_a_new_key(const TokenRules& rules, const Jws& jws) {
  if (rules.ask_for_keys == nullptr) return false;
  return jws.key_id.empty() ||
         std::ranges::none_of(rules.keys, [&jws](const VerifyingKey& key) { return key.id() == jws.key_id; });
}

// Seconds since 1970 (NumericDate). Nothing: it is absent. NaN: it is no number.
std::optional<double> time_of(const json& claims, const char* name) {
  const auto found = claims.find(name);
  if (found == claims.end()) return std::nullopt;
  if (!found->is_number()) return std::nan("");
  return std::clamp(found->get<double>(), -kTimeMax, kTimeMax);
}

struct Times {
  std::optional<double> issued;  // `iat`
  double end = 0;                // `exp`
};

bool is_no_number(const std::optional<double>& time) {
  return time && std::isnan(*time);
}

// A revocation is kept as long as a token may live (token_life_ms), so no token may live longer.
bool lives_too_long(const TokenRules& rules, const Times& times, double now) {
  const auto longest = static_cast<double>(rules.max_age_s);
  if (times.issued && times.end - *times.issued > longest) return true;
  return times.end - now > longest + static_cast<double>(rules.leeway_s);
}

Result<Times> check_times(const TokenRules& rules, const json& claims, std::int64_t wall_ms) {
  const double now = static_cast<double>(wall_ms) / 1'000;
  const auto leeway = static_cast<double>(rules.leeway_s);
  const std::optional<double> end = time_of(claims, "exp");
  if (!end) return invalid("has no exp, the time when it expires");
  const std::optional<double> start = time_of(claims, "nbf");
  const Times times{time_of(claims, "iat"), *end};
  if (is_no_number(end) || is_no_number(start) || is_no_number(times.issued))
    return invalid("has an exp, nbf or iat that is not a number");
  if (now >= *end + leeway) return invalid("has expired");
  if (start && now < *start - leeway) return invalid("is not valid yet");
  if (lives_too_long(rules, times, now)) {
    return invalid("lives longer than the " + std::to_string(rules.max_age_s) +
                   " s that auth.jwt.max_age_s allows");
  }
  return times;
}

// Whose it is. What cannot be compared with a revoked subject could not be revoked, so it is refused.
Result<std::string> subject_of(const json& claims) {
  const auto found = claims.find("sub");
  if (found == claims.end()) return std::string();
  if (found->is_string()) return found->get<std::string>();
  return invalid("has a sub that is not a text");
}

bool names(const json& claim, const std::string& wanted) {
  if (claim.is_string()) return claim == wanted;
  return claim.is_array() && std::ranges::find(claim, json(wanted)) != claim.end();
}

Status check_parties(const TokenRules& rules, const json& claims) {
  const auto issuer = claims.find("iss");
  if (!rules.issuer.empty() && (issuer == claims.end() || *issuer != rules.issuer)) {
    return invalid("is not of the issuer that auth.jwt.issuer names");
  }
  const auto audience = claims.find("aud");
  if (rules.audience.empty()) {  // RFC 7519, section 4.1.3
    if (audience == claims.end()) return ok_status();
    return invalid("is for an audience (aud), and auth.jwt.audience names none");
  }
  if (audience != claims.end() && names(*audience, rules.audience)) return ok_status();
  return invalid("is not for the audience that auth.jwt.audience names");
}

}  // namespace

void TokenVerifier::replace(TokenRules rules) {
  auto fresh = std::make_shared<const TokenRules>(std::move(rules));
  const MutexLock lock(mutex_);
  rules_.swap(fresh);
}

Result<VerifiedToken> TokenVerifier::verify(std::string_view token, std::int64_t wall_ms) const {
  std::shared_ptr<const TokenRules> rules;
  {
    const MutexLock lock(mutex_);
    rules = rules_;
  }
  Result<Jws> jws = read_jws(token);
  if (!jws) return jws.error();
  if (!is_signed(*rules, *jws)) {
    if (may_be_of_a_new_key(*rules, *jws) && rules->ask_for_keys())
      return Error{ErrorCode::kUnavailable,
                   "is signed by no key that is known yet; the keys are being fetched, try again soon", ""};
    return Error{ErrorCode::kBadMessage, "is not signed by a key of auth.jwt", ""};
  }
  const Result<json> claims = parse_unique_json(jws->payload, kTokenBytesMax);
  if (!claims) return invalid("has claims that cannot be read: the text " + claims.error().message);
  const Result<Times> times = check_times(*rules, *claims, wall_ms);
  if (!times) return times.error();
  if (const Status status = check_parties(*rules, *claims); !status) return status.error();
  Result<std::string> subject = subject_of(*claims);
  if (!subject) return subject.error();
  if (revocations_ != nullptr && !subject->empty() &&
      revocations_->refuses(*subject, times->issued, wall_ms)) {
    return invalid("was revoked");
  }
  Result<TokenGrant> grant = read_grant(*claims, rules->claim);
  if (!grant) return invalid("cannot be used: " + grant.error().message);
  grant->expires_ms = static_cast<std::int64_t>((times->end + static_cast<double>(rules->leeway_s)) * 1'000);
  grant->subject = std::move(*subject);
  return VerifiedToken{std::make_shared<const TokenGrant>(std::move(*grant)), std::move(jws->payload)};
}

}  // namespace tickwire
