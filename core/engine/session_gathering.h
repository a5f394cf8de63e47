// gather_sessions: asks every shard for its sessions and puts the answers together as one JSON object.
//
// Any thread. Each shard tells its own on its loop thread and none waits for another; the one that tells last
// calls `done` with the whole. One that has stopped has no sessions. The shards outlive the last call.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "fanout/shard.h"

namespace tickwire {

void gather_sessions(std::vector<Shard*> shards, const SessionsQuery& query,
                     std::function<void(std::string)> done);

}  // namespace tickwire
