// MessageReader: the messages in the bytes that a server sends (RFC 6455, RFC 7692), without a copy where a
// message came in one frame and plain. It reads data; control frames, and whatever breaks the rules, are
// handed out as bytes for a WebSocket library to judge.
//
// One for each connection, from the first byte after the handshake; one thread at a time. Memory: a buffer of
// kReadBytes, or of the largest frame under way, and a StreamInflater.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "codec/stream_inflater.h"
#include "codec/websocket_frame_head.h"

namespace tickwire {

class MessageReader {
 public:
  static constexpr std::size_t kReadBytes = std::size_t{64} << 10U;

  enum class Found : std::uint8_t {
    kNothing,  // a whole frame is still to come
    kText,     // text(): a message; not yet known to be UTF-8
    kBinary,   // a binary message begins, which tickwire.v1.json does not have; nothing may follow
    kControl,  // bytes(): a whole control frame
    kForeign,  // bytes(): all that was received since; so is everything from here on
  };

  struct Config {
    bool deflate = false;  // permessage-deflate was agreed on
    int window_bits = 15;
    bool context_takeover = true;
    std::size_t message_bytes_max = std::size_t{16} << 20U;  // as sent and inflated
  };
  explicit MessageReader(const Config& config);

  // Where the next bytes are to be put; never empty. Void after received() and next().
  std::span<char> room();
  // So many bytes were put into room().
  void received(std::size_t bytes);
  [[nodiscard]] bool filled() const { return end_ == buffer_.size(); }

  // What comes next. kBadMessage, kTooLarge: a message that cannot be inflated; nothing may follow.
  Result<Found> next();
  [[nodiscard]] std::string_view text() const { return text_; }
  [[nodiscard]] std::string_view bytes() const { return text_; }

 private:
  [[nodiscard]] bool is_ours(const FrameHead& head) const;
  Result<Found> take_data(const FrameHead& head, std::string_view payload);
  Found foreign();

  const Config config_;
  StreamInflater inflater_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;  // of what is not read yet
  std::size_t end_ = 0;
  std::size_t wanted_ = 0;  // the size of the frame under way, if it is known
  std::string message_;     // in fragments, and plain
  std::string_view text_;
  bool in_message_ = false;        // fragments of a message were read
  std::size_t message_bytes_ = 0;  // of them, as sent
  bool compressed_ = false;        // this message
  bool foreign_ = false;
};

}  // namespace tickwire
