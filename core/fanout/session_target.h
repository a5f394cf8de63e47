// SessionTarget: which sessions an admin ends: those of a subject, or a single one. A plain value.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"
#include "protocol/command.h"
#include "session/client_info.h"

namespace tickwire {

enum class SessionEnd : std::uint8_t {
  kRevoked,       // for good: the client may not come back
  kDisconnected,  // the client may come back at once
};

// One of the two, and not both.
struct SessionTarget {
  std::string subject;  // as a token's `sub` has it
  std::string session;  // as ClientInfo::session

  [[nodiscard]] bool covers(const ClientInfo& client) const {
    return session.empty() ? client.subject == subject : client.session == session;
  }
};

// kBadMessage names the field: none or both are given, or one is longer than any token's (kTokenBytesMax).
inline Status check_target(const SessionTarget& target) {
  if (target.subject.empty() == target.session.empty()) {
    return Error{ErrorCode::kBadMessage, "subject, session: exactly one of them must be given, not empty",
                 target.subject.empty() ? "subject" : "session"};
  }
  const bool by_subject = target.session.empty();
  const std::string& given = by_subject ? target.subject : target.session;
  if (given.size() <= kTokenBytesMax) return ok_status();
  return Error{ErrorCode::kBadMessage,
               std::string(by_subject ? "subject" : "session") + ": " + std::to_string(given.size()) +
                   " bytes, at most " + std::to_string(kTokenBytesMax) + " are allowed",
               by_subject ? "subject" : "session", Limit::kTokenBytes};
}

}  // namespace tickwire
