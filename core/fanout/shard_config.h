// ShardConfig: what a shard is told at its start. Plain values, and where its large work goes, and what its
// clients publish.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "access/revocations.h"
#include "access/token_verifier.h"
#include "base/shares.h"
#include "base/work.h"
#include "fanout/command_rates.h"
#include "fanout/offload.h"
#include "fanout/publish_once.h"
#include "hub/publisher.h"
#include "protocol/command.h"
#include "session/session.h"

namespace tickwire {

// A message or payload of more bytes is read, checked and merged by a worker: 64 KiB take up to 3 ms.
inline constexpr std::size_t kOnLoopBytesMax = std::size_t{64} << 10U;

// The reason of the close of one whose commands that wait are over ShardConfig::waiting_bytes.
inline constexpr const char* kNoRoomForCommands = "no memory for commands that wait, try again later";

struct ShardConfig {
  std::uint32_t index = 0;
  std::string server = "tickwire";  // as in welcome.server
  double fanout_load = 0.7;         // share of the time that turns may take, (0, 1]
  std::int64_t turn_spacing_us_max = 20'000;
  std::int64_t access_deadline_ms = 2'000;
  std::int64_t behind_ms_max = 60'000;                    // then close 1013
  std::size_t inbox_updates_max = std::size_t{1} << 18U;  // that wait for a turn; then topics skip ahead
  std::size_t deliveries_max = 250'000;     // that a turn lists at once, but for those of its last update
  std::uint64_t piece_steps = kPieceSteps;  // of work (base/work.h) that is done at once for one client
  std::size_t on_loop_bytes_max = kOnLoopBytesMax;
  Offload* offload = nullptr;             // see its file; null: everything is done on the loop
  Publisher* publisher = nullptr;         // where clients publish; null: the hub
  PublishOnce* once = nullptr;            // of all loops; null: an update that comes again is published again
  const TokenVerifier* tokens = nullptr;  // null: only an authenticator judges tokens
  // Tells of subjects that were revoked while an authenticator judged their token; null: none ever is.
  const Revocations* revocations = nullptr;
  // How much the commands may hold that wait for one before them or for a worker; past it close 1013.
  ShareLimits waiting_bytes{std::size_t{64} << 20U, std::size_t{16} << 20U, std::size_t{4} << 20U};
  // Control messages that sockets do not take; past it close 1013.
  ShareLimits outbox_bytes{std::size_t{128} << 20U, std::size_t{32} << 20U, std::size_t{16} << 20U};
  RateLimits rates{};
  SharedRates* shared_rates = nullptr;  // of all loops; null: addresses have no rate of their own
  std::size_t topics_per_command_max = kTopicsPerCommandMax;
  // A client whose token nobody has accepted after this time is closed with 4500, where somebody judges
  // tokens; with 4003 where nobody could judge its token, or its token expired so long ago. 0: it may stay.
  std::int64_t unauthenticated_ms_max = 0;
  SessionConfig session{};
};

}  // namespace tickwire
