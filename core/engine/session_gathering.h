// gather_sessions: asks every shard for its sessions and puts the answers together as one JSON object.
//
// Any thread. Each shard tells its own on its loop thread, in pieces, and none waits for another; when the
// last has told, the whole is made on a thread of `offload`, which calls `done` with it. A shard that has
// stopped has no sessions. The shards and the offload outlive the call of `done`.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "fanout/offload.h"
#include "fanout/shard.h"

namespace tickwire {

void gather_sessions(std::vector<Shard*> shards, const SessionsQuery& query, Offload& offload,
                     std::function<void(std::string)> done);

}  // namespace tickwire
