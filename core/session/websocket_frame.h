// The header of a WebSocket frame that a server sends: unmasked and final (RFC 6455 section 5.2).
// Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "codec/websocket_frame_head.h"
#include "protocol/format.h"

namespace tickwire {

enum class Opcode : std::uint8_t { kText = 1, kBinary = 2, kClose = 8, kPing = 9, kPong = 10 };

constexpr Opcode opcode_of(Format format) {
  return format == Format::kJson ? Opcode::kText : Opcode::kBinary;
}

inline constexpr std::size_t kFrameHeaderBytesMax = 10;

// The bytes of the header of a frame with `payload_bytes`.
constexpr std::size_t frame_header_bytes(std::size_t payload_bytes) {
  if (payload_bytes < 126) return 2;
  return payload_bytes <= 0xFFFF ? 4 : kFrameHeaderBytesMax;
}

// Writes the header to `out`, which has room for it, and returns its end. `rsv1`: the payload is compressed
// (RFC 7692 section 6).
inline char* put_frame_header(char* out, Opcode opcode, bool rsv1, std::size_t payload_bytes) {
  const auto put = [&out](std::size_t byte) { *out++ = static_cast<char>(byte & 0xFFU); };
  put(kFinBit | (rsv1 ? kRsv1Bit : 0U) | static_cast<unsigned>(opcode));
  if (payload_bytes < 126) {
    put(payload_bytes);
  } else if (payload_bytes <= 0xFFFF) {
    put(126), put(payload_bytes >> 8U), put(payload_bytes);
  } else {
    put(127);
    for (unsigned shift = 64; shift > 0; shift -= 8) put(payload_bytes >> (shift - 8));
  }
  return out;
}

inline void append_frame_header(std::string& out, Opcode opcode, bool rsv1, std::size_t payload_bytes) {
  const std::size_t before = out.size();
  out.resize(before + frame_header_bytes(payload_bytes));
  put_frame_header(out.data() + before, opcode, rsv1, payload_bytes);
}

}  // namespace tickwire
