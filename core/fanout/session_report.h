// SessionReport: one session as an operator sees it, and the first of many in an order. Plain values; made on
// the session's loop thread, then any.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "session/session.h"

namespace tickwire {

inline constexpr std::size_t kListSessionsDefault = 1'000;
inline constexpr std::size_t kListSessionsMax = 10'000;

struct SessionReport {
  std::string session;
  std::string remote;
  std::string subject;  // whose token it has; empty: none's
  Format format = Format::kJson;
  Compression compression = Compression::kNone;
  SessionState state = SessionState::kOpen;
  std::uint64_t connected_s = 0;
  std::uint64_t exact = 0;  // subscriptions that the client asked for
  std::uint64_t patterns = 0;
  std::uint64_t behind = 0;     // subscriptions that are owed something now
  std::uint64_t behind_ms = 0;  // begun ones since something waits for the socket; 0: nothing does
  std::uint64_t conflated = 0;  // times a subscription fell behind
  std::uint64_t gaps = 0;
  std::uint64_t messages = 0;  // without control messages
  std::uint64_t bytes = 0;     // handed to the socket
  std::uint64_t outbox_bytes = 0;
};

using SessionNumber = std::uint64_t SessionReport::*;

struct SessionNumberName {
  std::string_view name;
  SessionNumber number;
};
// All of them, each of which lists can be sorted by.
inline constexpr std::array<SessionNumberName, 10> kSessionNumbers{{
    {"connected_s", &SessionReport::connected_s},
    {"exact", &SessionReport::exact},
    {"patterns", &SessionReport::patterns},
    {"behind", &SessionReport::behind},
    {"behind_ms", &SessionReport::behind_ms},
    {"conflated", &SessionReport::conflated},
    {"gaps", &SessionReport::gaps},
    {"messages", &SessionReport::messages},
    {"bytes", &SessionReport::bytes},
    {"outbox_bytes", &SessionReport::outbox_bytes},
}};

struct SessionsQuery {
  SessionNumber sort = &SessionReport::behind;  // greatest first; ties: who is worse off
  std::size_t limit = kListSessionsDefault;
};

struct SessionList {
  std::vector<SessionReport> sessions;
  std::size_t total = 0;  // also those past the limit
};

SessionReport report_on(const Session& session, std::int64_t now_us);
// Cuts at the limit, in no order; a look at each.
void keep_some(std::vector<SessionReport>& sessions, const SessionsQuery& query);
// Sorts, and cuts at the limit.
void keep_first(std::vector<SessionReport>& sessions, const SessionsQuery& query);

}  // namespace tickwire
