// Dues: what is owed to clients, and when it may be sent. A subscription that is behind is due at once, or,
// with a max_rate, at the next moment of its pace's grid; then it is in its session's behind() and the
// session in the list of those that have more to send, once.
//
// Loop thread.
#pragma once

#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "fanout/pace_grid.h"
#include "fanout/session_table.h"

namespace tickwire {

class Dues {
 public:
  Dues(const Clock& clock, SessionTable& sessions) : clock_(clock), sessions_(sessions) {}

  // The subscription is behind from now on, and due at once (`pace_ms` 0) or at the next multiple of its
  // pace. One that is due at once leaves with the session's next write, which is the caller's to make.
  void owe(Session& session, SubscriptionIndex index, std::uint16_t pace_ms);
  // The session has more to send than its last write took.
  void send_more(Session& session);
  // Makes due what the grid holds for now, a piece of it.
  void take_due(const Budget& budget);
  // The sessions that have something to send, each once; the list is empty afterwards.
  std::vector<Session*> take_sessions();
  // The steady time at which something is due, 0: now, < 0: never.
  [[nodiscard]] std::int64_t next_us() const;

 private:
  const Clock& clock_;
  SessionTable& sessions_;
  PaceGrid paces_;
  std::vector<SessionRef> more_;
};

}  // namespace tickwire
