// Places: what a connection takes of the limits on how many there may be, from accept until its request is
// answered, or has become a WebSocket. Loop thread.
#pragma once

#include <optional>

#include "base/shares.h"
#include "net/door.h"
#include "net/loop_state.h"

namespace tickwire {

struct Places {
  Share seat;   // of the plant's connections
  Share place;  // of the connections that are no WebSocket
};

// The limit that is in the way; without one, `places` are those of a client at `address`.
inline std::optional<Limit> take_places(LoopState& loop, Door door, PeerAddress address, Places& places) {
  places = {{}, Share(loop.requests_open, address)};
  // The admin's ways in stay open also where others took every place.
  if (door == Door::kPublic && loop.config.gate != nullptr) {
    if (const auto limit = loop.config.gate->enter(address, loop.clock.steady_us(), places.seat))
      return limit;
  }
  return door == Door::kAdminSocket ? std::nullopt : places.place.resize(1);
}

}  // namespace tickwire
