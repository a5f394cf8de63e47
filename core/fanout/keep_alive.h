// KeepAlive: the heartbeats of sessions to which nothing else was written, the age limit of those that take
// nothing, and the time within which a client has to be authenticated, or to replace a token that expired,
// where there is one. Each session has one timer, which is looked at when it is due and not at each write: a
// write only makes the look find that there is nothing to do yet.
//
// Heartbeats come up to a quarter of their interval early, by chance, so that clients that connected
// together, or were last written to together, are not all due together.
//
// Loop thread. The sessions outlive it or end their timer.
#pragma once

#include <cstdint>
#include <deque>
#include <string_view>
#include <utility>

#include "base/timer_heap.h"
#include "fanout/admission.h"
#include "fanout/leases.h"
#include "fanout/sender.h"
#include "fanout/shard_parts.h"

namespace tickwire {

inline constexpr int kHeartbeatsPerRunMax = 64;  // some 0.5 ms; then others have their turn

class KeepAlive {
 public:
  KeepAlive(ShardParts& parts, Sender& sender, Admission& admission, Leases& leases)
      : parts_(parts), sender_(sender), admission_(admission), leases_(leases) {}

  // From now on, until it ends.
  void watch(Session& session);
  // Looks at those that are due, kHeartbeatsPerRunMax at most.
  void run();
  // When to call run() next, on the steady clock; < 0: never.
  [[nodiscard]] std::int64_t next_us() const;

 private:
  void look_at(Session& session, std::int64_t now_us);
  void close_unauthenticated(std::int64_t now_us);
  // When the session is closed because its token expired and no new one came; kForeverUs: never.
  [[nodiscard]] std::int64_t token_end_us(const Session& session) const;
  void end(Session& session, CloseCode code, std::string_view reason);
  void start_timer(Session& session, std::int64_t now_us);
  [[nodiscard]] std::int64_t interval_us() const {
    return std::int64_t{parts_.config.session.heartbeat_s} * 1'000'000;
  }

  ShardParts& parts_;
  Sender& sender_;
  Admission& admission_;
  Leases& leases_;
  TimerHeap timers_;                                                 // of sessions
  std::deque<std::pair<std::int64_t, SessionRef>> unauthenticated_;  // until when they may be; in this order
  std::uint64_t chance_ = 1;
};

}  // namespace tickwire
