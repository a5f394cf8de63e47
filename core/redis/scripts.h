// scripts(): what the engine does for a node in one step, in Lua. Every call of cluster/log.h that decides
// something is one of them, so that nobody comes between its look and its act.
//
// Keys, all in one slot: `meta` (hash: the head of the log, its epoch and token, the members and their last
// batch, up to where the table is whole), `log` (stream), `img` (hash: the table, and under "" its format),
// `right` and `seed` (who writes or fills at the moment), `nodes` (sorted set: when a member was heard last).
// No state; any thread.
#pragma once

#include <string>
#include <vector>

namespace tickwire::redis {

// The format of the keys; a node that finds another one leaves it alone.
inline constexpr char kFormat[] = "1";
// A member that was not heard for so long is none any more.
inline constexpr int kMemberGoneMs = 600'000;
inline constexpr int kRightMs = 3'000;
inline constexpr int kSeedMs = 10'000;

// [kAppend] takes memory, so an engine that has none refuses it. [kKeep] goes on, for it also gives memory
// back.
enum Script : std::size_t { kAppend, kKeep };
const std::vector<std::string>& scripts();

}  // namespace tickwire::redis
