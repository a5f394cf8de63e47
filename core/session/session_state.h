// The life of a session.
//
//                drain()              close()                (the connection is gone)
//     kOpen ───────────────> kDraining ─────────> kClosing ─────────────────────────> destroyed
//       └──────────────────────────────────────────^
//                close(), or a write that found the peer gone
//
// kOpen: takes commands and updates. kDraining: said `drain`; takes neither, what is queued still goes out.
// kClosing: writes nothing any more, waits for Shard::on_closed. A plain value; loop thread of the shard.
#pragma once

#include <cstdint>
#include <string_view>

namespace tickwire {

enum class SessionState : std::uint8_t { kOpen, kDraining, kClosing };

constexpr std::string_view name_of(SessionState state) {
  switch (state) {
    case SessionState::kOpen:
      return "open";
    case SessionState::kDraining:
      return "draining";
    case SessionState::kClosing:
      return "closing";
  }
  return "?";
}

constexpr bool can_follow(SessionState from, SessionState to) {
  return from < to;
}

}  // namespace tickwire
