// ShardConfig: what a shard is told at its start. Plain values.
#pragma once

#include <cstdint>
#include <string>

#include "base/work.h"
#include "session/session.h"

namespace tickwire {

struct ShardConfig {
  std::uint32_t index = 0;
  std::string server = "tickwire";  // as in welcome.server
  std::string epoch;
  double fanout_load = 0.7;  // share of the time that turns may take, (0, 1]
  std::int64_t turn_spacing_us_max = 20'000;
  std::int64_t access_deadline_ms = 2'000;
  std::int64_t behind_ms_max = 60'000;                    // then close 1013
  std::size_t inbox_updates_max = std::size_t{1} << 18U;  // that wait for a turn; then topics skip ahead
  std::size_t deliveries_max = 250'000;     // that a turn lists at once, but for those of its last update
  std::uint64_t piece_steps = kPieceSteps;  // of work (base/work.h) that is done at once for one client
  SessionConfig session{};
};

}  // namespace tickwire
