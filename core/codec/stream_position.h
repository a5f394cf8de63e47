// Where a stream stands in its deflate window, and how far back a message may refer.
//
// One StreamPosition per session and direction, one WindowTrail (window_trail.h) per subscription: all the
// state that relocatable deflate needs. Plain values of the thread that owns the session.
// Invariant: positions only grow; they count bytes before compression, of compressed messages alone, since
// nothing else enters the receiver's window. 64 bits, so they never wrap.
#pragma once

#include <cstddef>
#include <cstdint>

#include "codec/fixed_huffman.h"

namespace tickwire {

// How many earlier messages one message may be assembled against.
inline constexpr std::size_t kBasesMax = 2;

// A base can be used while all of it lies in the window when the last byte of the message is reached:
// DEFLATE reaches back kDistanceMax bytes, and a match at the message's end may want the base's first byte.
constexpr bool base_in_reach(std::uint64_t gap, std::size_t message_bytes) {
  return gap <= kDistanceMax && message_bytes <= kDistanceMax - gap;
}

class StreamPosition {
 public:
  explicit StreamPosition(std::uint64_t bytes = 0) : bytes_(bytes) {}
  // After each message that was sent compressed (linked or standalone), with its size before compression.
  void advance(std::size_t message_bytes) { bytes_ += message_bytes; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  std::uint64_t bytes_;
};

}  // namespace tickwire
