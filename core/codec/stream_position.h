// Where a stream stands in its deflate window, and where a subscription's last messages lie in it.
//
// One StreamPosition per session and direction, one BaseTrail per subscription: all the state that
// relocatable deflate needs. Plain values of the thread that owns the session.
// Invariant: positions only grow; they count bytes before compression, of compressed messages alone, since
// nothing else enters the receiver's window. 64 bits, so they never wrap.
#pragma once

#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "codec/fixed_huffman.h"

namespace tickwire {

// How many earlier messages one message may be assembled against.
inline constexpr std::size_t kBasesMax = 4;

// How far before the message about to be sent each base starts in this stream, nearest first.
using Gaps = std::array<std::uint32_t, kBasesMax>;

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

// Where the last messages of one subscription start in its stream: 16 bytes. Which messages they were is
// known to the owner (consecutive ones while the subscription is live); after a break it calls clear().
class BaseTrail {
 public:
  // A message of this subscription is about to be sent, compressed, at `now`.
  void push(StreamPosition now) {
    const std::uint64_t step = now.bytes() - last_;
    for (std::size_t i = steps_.size() - 1; i > 0; --i) steps_[i] = steps_[i - 1];
    steps_[0] = static_cast<std::uint16_t>(step < kTooFar ? step : kTooFar);
    last_ = now.bytes();
    if (count_ < kBasesMax) ++count_;
  }
  void clear() { count_ = 0; }

  // How many bases a message of this size, sent at `now`, can use; fills as many gaps.
  [[nodiscard]] std::size_t reach(StreamPosition now, std::size_t message_bytes, Gaps& gaps) const {
    std::uint64_t gap = now.bytes() - last_;
    for (std::size_t base = 0; base < count_; ++base) {
      if (base > 0) gap += steps_[base - 1];
      if (!base_in_reach(gap, message_bytes)) return base;
      gaps[base] = static_cast<std::uint32_t>(gap);
    }
    return count_;
  }

 private:
  static constexpr std::uint16_t kTooFar = std::numeric_limits<std::uint16_t>::max();
  std::uint64_t last_ = 0;
  std::array<std::uint16_t, kBasesMax - 1> steps_{};  // from each base back to the one before it
  std::uint8_t count_ = 0;
};
static_assert(sizeof(BaseTrail) == 16);

}  // namespace tickwire
