// FixedInflate: inflates the messages of a peer whose DEFLATE blocks have the fixed Huffman code, as nearly
// all short messages have, and tickwire's own always. A client that reads hundreds of thousands of messages
// a second spends most of its time on zlib's inflate, which pays for each call (its state machine, and a copy
// into its window), and reads the last bytes of each message one step at a time. Here the history stays where
// it was inflated to, so a copy from it is a copy within one buffer.
//
// It only takes what is plainly right: whole messages of blocks with the fixed code, or stored, that end with
// the start of an empty stored block, and refer to nothing beyond the history. Everything else, so also
// everything that is wrong, it refuses and leaves for Inflater, which judges it: a property test compares the
// two (tests/core/codec/stream_inflater_test.cc).
//
// One for each connection; one thread at a time. Memory: kBufferBytes, from the first message on.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

namespace tickwire {

class FixedInflate {
 public:
  static constexpr std::size_t kBufferBytes = std::size_t{128} << 10U;
  // The longest message that it takes, inflated.
  static constexpr std::size_t kMessageBytesMax = std::size_t{64} << 10U;

  // window_bytes: how far back a message may refer, at most 32768. message_bytes_max: inflated; what is
  // longer is refused.
  FixedInflate(std::size_t window_bytes, std::size_t message_bytes_max);

  // The payload of a message; nothing if it is refused, and then nothing has changed. The view is valid until
  // the next call. It becomes part of the history.
  std::optional<std::string_view> inflate(std::string_view payload);
  // Somebody else inflated a message: it becomes part of the history.
  void append(std::string_view message);
  // What messages may refer to.
  [[nodiscard]] std::string_view history() const;
  void forget() { end_ = 0; }

 private:
  // Makes the buffer, or moves the history to its start, where there is no room for a message behind it.
  void make_room();

  const std::size_t window_bytes_;
  const std::size_t message_bytes_max_;
  std::unique_ptr<char[]> buffer_;  // NOLINT(modernize-avoid-c-arrays): not zeroed
  std::size_t end_ = 0;             // of the history
};

}  // namespace tickwire
