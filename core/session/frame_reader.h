// FrameReader: takes the bytes of a client apart into WebSocket frames, strictly by RFC 6455 section 5.
//
// A fault is reported with the first byte that shows it: a frame that is not masked, a reserved bit or
// opcode, a length that is not in its shortest form, a control frame that is fragmented or longer than 125
// bytes, a continuation of nothing, a message inside another, and a close frame with a code that may not be
// sent or a reason that is not UTF-8. RSV1 of a data frame is passed on, because its meaning was negotiated
// (RFC 7692).
//
// Pure; one per connection, on its loop thread. After a fault or a close it must not be fed again.
// Invariant: it keeps no bytes. What it leaves of its input (less than kFrameRestBytesMax) is to be given to
// it again, in front of what follows.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "codec/websocket_frame_head.h"
#include "protocol/codes.h"

namespace tickwire {

inline constexpr std::size_t kFrameRestBytesMax = 6 + kControlPayloadBytesMax;  // a control frame

// A piece of a data frame's payload, unmasked.
struct Fragment {
  std::string_view bytes;
  bool first = true;              // of the message
  bool final = true;              // of the message
  bool binary = false;            // of the message
  bool rsv1 = false;              // of the frame; means something only where compression was negotiated
  std::size_t bytes_to_come = 0;  // of the same frame

  // The whole message, at once.
  [[nodiscard]] bool complete() const { return first && final && bytes_to_come == 0; }
};

struct FrameEvent {
  enum class Kind : std::uint8_t {
    kIncomplete,  // nothing more can be read before more bytes come
    kData,        // fragment
    kPing,        // payload
    kPong,        // payload
    kClose,       // close_code
    kFault,       // fault and reason: the connection must be failed with them (section 7.1.7)
  };

  Kind kind = Kind::kIncomplete;
  Fragment fragment = {};
  std::string_view payload = {};  // good as long as the bytes that were read
  std::uint16_t close_code = 0;   // 0: the peer gave none
  CloseCode fault = CloseCode::kProtocolError;
  const char* reason = "";
};

// Whether a peer may send `code` in a close frame (section 7.4 and the IANA registry).
bool is_close_code(std::uint16_t code);

class FrameReader {
 public:
  // Takes the next piece off the front of `bytes`, which it unmasks in place.
  FrameEvent next(std::span<char>& bytes);

 private:
  FrameEvent begin_data(const FrameHead& head, std::span<char>& bytes);
  FrameEvent take_data(std::span<char>& bytes);
  FrameEvent take_control(const FrameHead& head, std::span<char>& bytes);
  // The text is good as long as the bytes.
  std::string_view unmask(std::span<char> bytes);

  std::uint64_t left_ = 0;  // bytes of the data frame under way
  std::array<char, 4> mask_{};
  bool in_message_ = false;  // a data frame that was not the last of its message has begun
  bool final_ = false;       // of the frame under way; the next three as well
  bool rsv1_ = false;
  bool binary_ = false;
  bool first_ = false;  // nothing of the message was handed on yet
};

}  // namespace tickwire
