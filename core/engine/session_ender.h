// SessionEnder: ends the sessions of a subject, or a single one, for an admin: those of each loop, and for a
// revocation also what new tokens are held against, and the store. The audit log has a line of it.
//
// end() may be called on any thread, and waits for nothing: the sessions end on their loops, the store
// writes on a thread of `offload`, and only then is `done` called, there. A loop that stands still is not
// waited for; its sessions end as soon as it turns. All that it is given outlives it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "access/revocations.h"
#include "base/clock.h"
#include "base/error.h"
#include "fanout/offload.h"
#include "fanout/session_target.h"
#include "fanout/shard.h"
#include "net/http_source.h"
#include "store/store.h"

namespace tickwire {

class SessionEnder {
 public:
  struct Parts {
    const Clock& clock;
    Revocations& revocations;
    Offload& offload;
    Store* store = nullptr;  // null: a restart forgets
  };
  explicit SessionEnder(const Parts& parts) : parts_(parts) {}

  struct Shards {
    std::vector<Shard*> turning;   // which are waited for
    std::vector<Shard*> standing;  // which are not
  };
  // `done` gets one JSON object: the subject or the session, `sessions`, how many have ended, and for a
  // subject that is revoked `until`, when that is forgotten (Unix milliseconds), and `kept_in`, "store" or
  // "memory". kBadMessage, kTooMany.
  void end(const SessionTarget& target, SessionEnd how, const AdminActor& by, const Shards& shards,
           AdminDone done);

 private:
  struct Case;
  void finish(const Case& ending) const;

  const Parts parts_;
};

}  // namespace tickwire
