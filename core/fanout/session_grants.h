// SessionGrants: what the tokens of a shard's sessions let them do, until when. Only tokens that the server
// itself verified (access/token_verifier.h) grant anything; what a plugin's authenticator says is for its
// authorizers. Loop thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "access/token_grant.h"
#include "base/error.h"
#include "fanout/access.h"
#include "fanout/session_table.h"

namespace tickwire {

// What is said of a topic, named `shown`, that the session's token allowed for as long as it was valid.
inline Error token_expired(const std::string& shown) {
  return {ErrorCode::kUnavailable, shown + ": the session's token has expired; send auth with a new one", ""};
}

class SessionGrants {
 public:
  struct Held {
    std::shared_ptr<const TokenGrant> grant;  // null: the session has no token
    std::int64_t expires_us = 0;              // on the steady clock

    [[nodiscard]] bool expired(std::int64_t now_us) const { return grant != nullptr && now_us >= expires_us; }
    // Now, and for this action.
    [[nodiscard]] bool lets(Action action, std::string_view topic, std::int64_t now_us) const {
      if (grant == nullptr || now_us >= expires_us) return false;
      return action == Action::kPublish ? grant->lets_publish(topic) : grant->lets_subscribe(topic);
    }
  };

  // A null grant takes away what the session had.
  void set(SessionRef ref, std::shared_ptr<const TokenGrant> grant, std::int64_t expires_us) {
    if (grant == nullptr) return forget(ref);
    if (ref.slot >= slots_.size()) slots_.resize(ref.slot + 1);
    slots_[ref.slot] = {ref, {std::move(grant), expires_us}};
  }
  // Until the next set() or forget().
  [[nodiscard]] const Held& find(SessionRef ref) const {
    static const Held kNone;
    const bool known = ref.slot < slots_.size() && slots_[ref.slot].ref == ref;
    return known ? slots_[ref.slot].held : kNone;
  }
  void forget(SessionRef ref) {
    if (ref.slot < slots_.size() && slots_[ref.slot].ref == ref) slots_[ref.slot].held = {};
  }

 private:
  struct Slot {
    SessionRef ref;
    Held held;
  };
  std::vector<Slot> slots_;  // by the session's slot
};

}  // namespace tickwire
