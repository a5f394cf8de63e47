#include "fanout/dues.h"

#include <utility>

namespace tickwire {

void Dues::owe(Session& session, SubscriptionIndex index, std::uint16_t pace_ms) {
  if (pace_ms == 0) {
    session.owe(index);
  } else {
    paces_.owe(clock_.steady_us(), {sessions_.ref(session), index, pace_ms});
  }
}

void Dues::send_more(Session& session) {
  if (!std::exchange(session.in_dues, true)) more_.push_back(sessions_.ref(session));
}

void Dues::take_due(const Budget& budget) {
  paces_.take_due(clock_.steady_us(), budget, [this](const PaceGrid::Owed& owed) {
    Session* session = sessions_.find(owed.session);
    if (session == nullptr) return;
    session->owe(owed.index);
    send_more(*session);
  });
}

std::vector<Session*> Dues::take_sessions() {
  std::vector<Session*> sessions;
  sessions.reserve(more_.size());
  for (const SessionRef ref : std::exchange(more_, {})) {
    Session* session = sessions_.find(ref);
    if (session == nullptr) continue;
    session->in_dues = false;
    sessions.push_back(session);
  }
  return sessions;
}

std::int64_t Dues::next_us() const {
  return more_.empty() ? paces_.next_due_us() : 0;
}

}  // namespace tickwire
