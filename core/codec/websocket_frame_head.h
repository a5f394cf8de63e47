// FrameHead: what stands before the payload of a WebSocket frame (RFC 6455 section 5.2). It judges nothing:
// what a server may send and what a client may are for session/frame_reader.h and client/message_reader.h.
// Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tickwire {

inline constexpr std::size_t kControlPayloadBytesMax = 125;  // section 5.5
inline constexpr unsigned kContinuationOpcode = 0;
inline constexpr unsigned kFinBit = 0x80;
inline constexpr unsigned kRsv1Bit = 0x40;
inline constexpr unsigned kRsv23Bits = 0x30;

struct FrameHead {
  // `bytes` begins with a frame, of which two bytes at least have come.
  explicit FrameHead(std::string_view bytes)
      : final((byte(bytes, 0) & kFinBit) != 0),
        rsv1((byte(bytes, 0) & kRsv1Bit) != 0),
        rsv23((byte(bytes, 0) & kRsv23Bits) != 0),
        opcode(byte(bytes, 0) & 0x0FU),
        masked((byte(bytes, 1) & 0x80U) != 0),
        length(byte(bytes, 1) & 0x7FU) {
    if (length == 126) length_bytes = 2;
    if (length == 127) length_bytes = 8;
    complete = bytes.size() >= size();
    if (!complete || length_bytes == 0) return;
    length = 0;
    for (std::size_t i = 0; i < length_bytes; ++i) length = length << 8U | byte(bytes, 2 + i);
  }

  // The mask included.
  [[nodiscard]] std::size_t size() const { return 2 + length_bytes + (masked ? 4U : 0U); }
  [[nodiscard]] bool is_control() const { return opcode >= 8; }

  bool final;
  bool rsv1;
  bool rsv23;
  unsigned opcode;
  bool masked;
  std::uint64_t length;          // of the payload; void before the head is complete
  std::size_t length_bytes = 0;  // after the first two
  bool complete = false;         // all of the head has come

 private:
  static unsigned byte(std::string_view bytes, std::size_t at) {
    return static_cast<unsigned char>(bytes[at]);
  }
};

}  // namespace tickwire
