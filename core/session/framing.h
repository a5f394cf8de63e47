// Framing: how the messages of one session become bytes on its socket. Hub and protocol know payloads alone;
// each is framed where it is appended to a write (WriteBuffer) or to the outbox (Session).
//
// A plain value, which the handshake decides and nothing changes later; any thread. A new carrier adds its
// case to each function here.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "protocol/format.h"
#include "session/event_frame.h"
#include "session/websocket_frame.h"

namespace tickwire {

enum class Carrier : std::uint8_t {
  kWebSocket,  // a frame a message
  kEvents,     // an event of text/event-stream a message (session/event_frame.h)
  kInProcess,  // a size, then the payload: see take_sized()
  kRequest,    // the same; a session that an HTTP request has for itself, which is not welcomed
};

// What the handshake agreed on for messages to the client (RFC 7692).
enum class Compression : std::uint8_t {
  kNone,
  kContext,    // messages may refer to earlier ones
  kNoContext,  // server_no_context_takeover: each stands alone
};

struct Framing {
  Carrier carrier = Carrier::kWebSocket;
  Format format = Format::kJson;                 // of the payloads, both ways
  Compression compression = Compression::kNone;  // of a WebSocket

  // What a carrier adds to a payload.
  static constexpr std::size_t kExtraBytesMax = kFrameHeaderBytesMax;
  static_assert(kExtraBytesMax >= kEventExtraBytes && kExtraBytesMax >= sizeof(std::uint32_t));

  // What stands before a payload of that size.
  [[nodiscard]] std::size_t head_bytes(std::size_t payload_bytes) const {
    if (carrier == Carrier::kWebSocket) return frame_header_bytes(payload_bytes);
    return carrier == Carrier::kEvents ? kEventHead.size() : sizeof(std::uint32_t);
  }
  // The bytes of a payload in its frame.
  [[nodiscard]] std::size_t framed_bytes(std::size_t payload_bytes) const {
    const std::size_t tail = carrier == Carrier::kEvents ? kEventTail.size() : 0;
    return head_bytes(payload_bytes) + payload_bytes + tail;
  }
  // Writes what comes before the payload to `out`, which has room for it, and returns its end.
  char* put_head(char* out, std::size_t payload_bytes, bool compressed) const {
    if (carrier == Carrier::kWebSocket)
      return put_frame_header(out, opcode_of(format), compressed, payload_bytes);
    if (carrier == Carrier::kEvents) return std::copy(kEventHead.begin(), kEventHead.end(), out);
    const auto size = static_cast<std::uint32_t>(payload_bytes);
    std::memcpy(out, &size, sizeof size);
    return out + sizeof size;
  }
  // Writes a payload in its frame, for which `out` has room, and returns its end.
  char* put(char* out, std::string_view payload, bool compressed) const {
    char* const body = put_head(out, payload.size(), compressed);
    std::memcpy(body, payload.data(), payload.size());
    return carrier == Carrier::kEvents ? end_event(body, payload.size()) : body + payload.size();
  }
  void append(std::string& out, std::string_view payload) const {
    const std::size_t before = out.size();
    out.resize(before + framed_bytes(payload.size()));
    put(out.data() + before, payload, false);
  }
};

// Takes the first payload off what an in-process session, or that of a request, was written, which is not
// empty.
inline std::string_view take_sized(std::string_view& bytes) {
  std::uint32_t size = 0;
  std::memcpy(&size, bytes.data(), sizeof size);
  const std::string_view payload = bytes.substr(sizeof size, size);
  bytes.remove_prefix(sizeof size + payload.size());
  return payload;
}

}  // namespace tickwire
