#include "fanout/keep_alive.h"

#include <algorithm>
#include <string>

namespace tickwire {
namespace {

// Since when the socket has taken nothing of what is owed.
std::int64_t took_nothing_since(const Session& session) {
  return std::max(session.behind_since_us, session.last_write_us);
}

}  // namespace

void KeepAlive::watch(Session& session) {
  const std::int64_t now = parts_.clock.steady_us();
  start_timer(session, now);
  const std::int64_t limit_ms = parts_.config.unauthenticated_ms_max;
  if (limit_ms > 0 && session.framing.carrier != Carrier::kInProcess)
    unauthenticated_.emplace_back(now + limit_ms * 1000, parts_.sessions.ref(session));
}

std::int64_t KeepAlive::next_us() const {
  const std::int64_t next = timers_.next_us();
  if (unauthenticated_.empty()) return next;
  const std::int64_t due = unauthenticated_.front().first;
  return next < 0 ? due : std::min(next, due);
}

void KeepAlive::run() {
  const std::int64_t now = parts_.clock.steady_us();
  close_unauthenticated(now);
  for (int i = 0; i < kHeartbeatsPerRunMax; ++i) {
    Timer* timer = timers_.take_due(now);
    if (timer == nullptr) return;
    look_at(static_cast<Session&>(*timer), now);
  }
}

void KeepAlive::close_unauthenticated(std::int64_t now_us) {
  for (int i = 0; i < kHeartbeatsPerRunMax && !unauthenticated_.empty(); ++i) {
    const auto [due_us, ref] = unauthenticated_.front();
    if (due_us > now_us) return;
    unauthenticated_.pop_front();
    Session* const session = parts_.sessions.find(ref);
    if (session == nullptr || session->state() != SessionState::kOpen || !session->client.claims.empty())
      continue;
    if (parts_.access.check(Action::kAuthenticate, "") == Verdict::kDeny) continue;  // nobody could judge it
    parts_.counters.count(Limit::kUnauthenticated);
    if (admission_.is_unjudged(*session)) {
      end(*session, CloseCode::kNeedsFreshToken, "nobody could judge the token in time; connect again");
    } else {
      end(*session, CloseCode::kNotAllowed, "no token was accepted in time (limits.unauthenticated_s_max)");
    }
  }
}

std::int64_t KeepAlive::token_end_us(const Session& session) const {
  const std::int64_t limit_ms = parts_.config.unauthenticated_ms_max;
  const SessionGrants::Held& held = admission_.grant_of(session);
  if (limit_ms == 0 || held.grant == nullptr || session.framing.carrier == Carrier::kInProcess)
    return kForeverUs;
  return held.expires_us + limit_ms * 1000;
}

void KeepAlive::look_at(Session& session, std::int64_t now_us) {
  if (session.state() == SessionState::kClosing) return;
  if (now_us >= token_end_us(session)) {
    parts_.counters.count(Limit::kUnauthenticated);
    return end(session, CloseCode::kNeedsFreshToken, "the token has expired; connect again with a new one");
  }
  // One that is slow, but takes something now and then, stays: it costs no more than one that is quick.
  const std::int64_t behind_ms_max = parts_.config.behind_ms_max;
  if (session.behind_since_us != 0 && now_us - took_nothing_since(session) > behind_ms_max * 1000) {
    return end(session, CloseCode::kTooSlow,
               "took nothing for more than " + std::to_string(behind_ms_max / 1000) + " s");
  }
  if (session.writable() && now_us - session.last_write_us >= interval_us() / 4 * 3) {
    session.send_heartbeat(parts_.clock.wall_ms());
    sender_.send(session);
  }
  if (session.state() != SessionState::kClosing) start_timer(session, now_us);
}

// What it still asks for or holds is of no use any more.
void KeepAlive::end(Session& session, CloseCode code, std::string_view reason) {
  admission_.forget(session);
  leases_.forget(session);
  session.close(code, reason);
}

void KeepAlive::start_timer(Session& session, std::int64_t now_us) {
  // A linear congruential generator (Knuth's MMIX): chance is all that is asked of it.
  chance_ = chance_ * 6'364'136'223'846'793'005U + 1'442'695'040'888'963'407U;
  const std::int64_t early =
      static_cast<std::int64_t>((chance_ >> 33U) % static_cast<std::uint64_t>(interval_us() / 4));
  const std::int64_t silent_since = session.writable() ? session.last_write_us : now_us;
  const std::int64_t heartbeat = std::max(silent_since + interval_us() - early, now_us + 1);
  const std::int64_t behind_since = session.behind_since_us != 0 ? took_nothing_since(session) : now_us;
  const std::int64_t behind_end = behind_since + parts_.config.behind_ms_max * 1000 + 1;
  timers_.start(session, std::min({heartbeat, behind_end, token_end_us(session)}));
}

}  // namespace tickwire
