// IncomingMessage: puts a client's message together from the pieces that FrameReader reads, and refuses
// as early as it can: too long, binary where text was agreed on (or text where binary was), text that is not
// UTF-8, a reserved bit. What is plain and complete in one piece is not copied. What is compressed is
// inflated within bounds.
//
// One per open connection, on its loop thread. Pure: knows no socket. After a close it must not be fed again.
// Invariant: bytes_ of a text are valid UTF-8 up to checked_; after release() it owns no memory but a parked
// inflater's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/limit.h"
#include "codec/deflate_offer.h"
#include "codec/inflater.h"
#include "protocol/codes.h"
#include "session/frame_reader.h"

namespace tickwire {

inline constexpr std::uint32_t kMessagePiecesMax =
    65'536;  // frames may be empty, so bytes alone bound nothing

struct Received {
  std::optional<CloseCode> close = {};           // this connection ends
  const char* reason = "";                       // of the close
  std::optional<Limit> limit = {};               // that is in the way
  std::optional<std::string_view> message = {};  // a whole one; good until release()
};

class IncomingMessage {
 public:
  explicit IncomingMessage(std::size_t bytes_max) : bytes_max_(bytes_max) {}
  // A binary format was agreed on.
  void expect_binary() { binary_ = true; }
  // Text and binary are both spoken.
  void expect_any() { any_ = true; }
  // permessage-deflate was agreed on: a message whose first frame has RSV1 is inflated.
  void expect_compressed(const DeflateAgreement& agreement);
  Received feed(const Fragment& fragment);
  // The message was taken, or no more of it is wanted.
  void release();
  // There will be no more messages.
  void close();
  [[nodiscard]] std::size_t inflater_bytes() const;
  // What the message under way holds; 0 when there is none, or it came at once.
  [[nodiscard]] std::size_t unfinished_bytes() const {
    const std::size_t held = bytes_.capacity();
    return held > std::string().capacity() ? held : 0;  // short ones lie within the string
  }

 private:
  [[nodiscard]] bool reserved_bit_misused(const Fragment& fragment) const;
  Received inflate(const Fragment& fragment);
  [[nodiscard]] bool check_utf8(bool final);

  const std::size_t bytes_max_;
  std::string bytes_;
  std::size_t checked_ = 0;
  std::unique_ptr<Inflater> inflater_;  // from the first compressed message on; parked between messages
  std::uint32_t pieces_ = 0;
  std::uint8_t window_bits_ = 0;  // 0: compression was not agreed on
  bool context_takeover_ = false;
  bool any_ = false;
  bool binary_ = false;       // what is expected; where any is, the message under way
  bool compressed_ = false;   // the message under way
  bool whole_ = false;        // all of it is in bytes_
  bool frame_ended_ = false;  // with the last piece
};

// Whether `bytes` (1 to 3) can still become a valid UTF-8 sequence.
bool begins_utf8(std::string_view bytes);

}  // namespace tickwire
