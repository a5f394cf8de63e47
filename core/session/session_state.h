// The life of a session.
//
//                close(), or a write that found the peer gone          (the connection is gone)
//     kOpen ──────────────────────────────────────────────> kClosing ───────────────────────────> destroyed
//
// kOpen: takes commands and updates. kClosing: writes nothing any more, waits for Shard::on_closed. A plain
// value; loop thread of the shard.
#pragma once

#include <cstdint>
#include <string_view>

namespace tickwire {

enum class SessionState : std::uint8_t { kOpen, kClosing };

constexpr std::string_view name_of(SessionState state) {
  return state == SessionState::kOpen ? "open" : "closing";
}

}  // namespace tickwire
