// What a session's token decides without a question to anybody: see access/token_verifier.h.
#include <algorithm>
#include <string>
#include <utility>

#include "access/pattern_cover.h"
#include "fanout/admission.h"
#include "fanout/pace_grid.h"

namespace tickwire {

std::optional<Result<Grant>> Admission::decide_by_token(const Session& session,
                                                        const AdmissionRequest& request,
                                                        const std::string& topic, Verdict verdict) const {
  if (parts_.config.tokens == nullptr) return std::nullopt;
  if (request.action == Action::kAuthenticate) return judge_token(request.token, verdict);
  const std::int64_t now = parts_.clock.steady_us();
  const SessionGrants::Held& held = grant_of(session);
  if (held.lets(request.action, topic, now)) {
    return Grant{.guarded = true,
                 .expires_us = held.expires_us,
                 .by_token = true,
                 .pace_ms = pace_ms_of(held.grant->max_rate)};
  }
  if (verdict == Verdict::kAsk) return std::nullopt;
  if (session.framing.carrier == Carrier::kInProcess) return Grant{};  // the server's own program
  const bool expired = held.expired(now);
  // What the token let it see of the pattern waits for another one, with the rest of it.
  const bool waits = expired && overlaps(held.grant->subscribe, topic);
  if (request.action == Action::kSubscribe && is_pattern(topic) && !waits) {
    if (Result<Grant> part = part_of(session, topic, {.ruling = Ruling::kAllow, .text = {}}); part)
      return part;
  }
  if (expired) return token_expired(shown_topic(topic));
  return error_about(ErrorCode::kDenied, topic,
                     held.grant ? "the session's token does not allow it" : "needs a token that allows it");
}

std::optional<Result<Grant>> Admission::judge_token(const std::string& token, Verdict verdict) const {
  const Result<VerifiedToken> verified = parts_.config.tokens->verify(token, parts_.clock.wall_ms());
  if (verified) {
    return Grant{.guarded = true,
                 .claims = verified->claims,
                 .subject = verified->grant->subject,
                 .token = verified->grant};
  }
  // It is not one of ours, so it may be one of the authenticator's.
  if (verified.error().code == ErrorCode::kBadMessage && verdict == Verdict::kAsk) return std::nullopt;
  const bool later = verified.error().code == ErrorCode::kUnavailable;
  return Error{later ? ErrorCode::kUnavailable : ErrorCode::kDenied, "token: " + verified.error().message,
               "token"};
}

void Admission::set_grant(const Session& session, std::shared_ptr<const TokenGrant> grant) {
  std::int64_t expires_us = 0;
  if (grant != nullptr) {
    const std::int64_t left_ms = std::min(grant->expires_ms - parts_.clock.wall_ms(), kTtlMsMax);
    expires_us = parts_.clock.steady_us() + left_ms * 1'000;
  }
  grants_.set(parts_.sessions.ref(session), std::move(grant), expires_us);
}

}  // namespace tickwire
