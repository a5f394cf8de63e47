// Revoker: takes back what a subject or a session may do, in all the parts of a server that have to know: the
// revocations, which new tokens are held against, the sessions of each loop, the store, and the audit log.
//
// revoke() may be called on any thread, and waits for nothing: the sessions end on their loops, the store
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
#include "fanout/revoke_target.h"
#include "fanout/shard.h"
#include "net/http_source.h"
#include "store/store.h"

namespace tickwire {

class Revoker {
 public:
  struct Parts {
    const Clock& clock;
    Revocations& revocations;
    Offload& offload;
    Store* store = nullptr;  // null: a restart forgets
  };
  explicit Revoker(const Parts& parts) : parts_(parts) {}

  // `turning`: the shards to wait for; `standing`: the others. `done` gets one JSON object: the subject or
  // the session, `sessions`, how many have ended, and for a subject `until`, when the revocation is forgotten
  // (Unix milliseconds), and `kept_in`, "store" or "memory". kBadMessage, kTooMany.
  void revoke(const RevokeTarget& target, const AdminActor& by, const std::vector<Shard*>& turning,
              const std::vector<Shard*>& standing, RevokeDone done);

 private:
  struct Case;
  void finish(const Case& revoked) const;

  const Parts parts_;
};

}  // namespace tickwire
