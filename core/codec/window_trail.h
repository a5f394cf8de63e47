// WindowTrail: where the last two messages of a subscription lie in its stream's deflate window. 8 bytes: all
// that compression costs a subscription.
//
// Which messages they were is known to whoever pushes: consecutive ones of a sequence that the shard knows.
// Plain value; the thread that owns the session.
// Invariant: positions count bytes before compression and only grow. 46 bits of them, 70 TB, are told apart;
// past that a stream goes on without bases.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "codec/stream_position.h"

namespace tickwire {

class WindowTrail {
 public:
  // A message of this subscription is about to be sent, compressed, at `now` of its stream.
  void push(StreamPosition now) {
    const std::uint64_t step = now.bytes() - last_;
    step_ = static_cast<std::uint16_t>(step < kTooFar ? step : kTooFar);
    last_ = now.bytes() & kPositionMax;
    if (count_ < kBasesMax) count_ = (count_ + 1U) & 3U;
  }
  // What is sent next does not follow what was sent last.
  void clear() { count_ = 0; }

  [[nodiscard]] std::size_t count() const { return count_; }
  // How many of the last messages (nearest first) one of this size, sent at `now`, can refer to; fills as
  // many gaps. `gaps` holds kBasesMax.
  [[nodiscard]] std::size_t reach(StreamPosition now, std::size_t message_bytes,
                                  std::span<std::uint32_t> gaps) const {
    if (now.bytes() > kPositionMax) return 0;
    std::uint64_t gap = now.bytes() - last_;
    for (std::size_t base = 0; base < count_; ++base) {
      if (base > 0) gap += step_;
      if (!base_in_reach(gap, message_bytes)) return base;
      gaps[base] = static_cast<std::uint32_t>(gap);
    }
    return count_;
  }

 private:
  static constexpr std::uint64_t kPositionMax = (std::uint64_t{1} << 46U) - 1;
  static constexpr std::uint16_t kTooFar = 0xFFFF;
  std::uint64_t last_ : 46 = 0;
  std::uint64_t count_ : 2 = 0;
  std::uint64_t step_ : 16 = 0;  // from the last one back to the one before
};
static_assert(sizeof(WindowTrail) == 8);

}  // namespace tickwire
