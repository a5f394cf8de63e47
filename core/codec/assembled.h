// Assembled: a message in relocatable form, everything but its distances into the bases ready as bits.
//
// Made by Assembler, read by link; immutable, so any number of threads may link it at once.
// Invariants: the last op ends the block and opens the empty stored one; op.distance < distances.size() + 1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "codec/fixed_huffman.h"

namespace tickwire {

// A run of closed bits and the open distance after it: 8 bytes, so that a message is two or three cache
// lines.
class LinkOp {
 public:
  // Closed bits + distance + 7 left over by the op before stay below 64: one unaligned store an op.
  static constexpr unsigned kClosedBitsMax = 38;

  // `distance`: 1 + index into Assembled::distances, or 0 for none.
  LinkOp(std::uint64_t closed, unsigned count, std::uint32_t distance)
      : packed_(closed | std::uint64_t{count} << 40 | std::uint64_t{distance} << 48) {}
  [[nodiscard]] std::uint64_t closed() const { return packed_ & ((std::uint64_t{1} << 40) - 1); }
  [[nodiscard]] unsigned count() const { return static_cast<unsigned>(packed_ >> 40 & 0xFF); }
  [[nodiscard]] std::size_t distance() const { return static_cast<std::size_t>(packed_ >> 48); }

 private:
  std::uint64_t packed_;
};

// A distance to be closed by link: gap of `base` in the stream + `offset`.
struct OpenDistance {
  std::int32_t offset = 0;  // place of the match in the message - place of its source in the base
  std::uint32_t base = 0;
  bool operator==(const OpenDistance&) const = default;
};

// What link may write past the payload's end, because it stores 8 bytes at a time.
inline constexpr std::size_t kLinkSlackBytes = 8;
// At most so many different distances in one message; link keeps their codes on its stack.
inline constexpr std::size_t kOpenDistancesMax = 512;

struct Assembled {
  std::vector<LinkOp> ops;
  std::vector<OpenDistance> distances;
  std::size_t message_bytes = 0;  // before compression: what the window advances by
  std::size_t bases = 0;          // link wants at least so many gaps
  std::size_t closed_bits = 0;
  std::size_t open_count = 0;  // ops that end in an open distance

  // No linked form of this message is longer, whatever the gaps.
  [[nodiscard]] std::size_t payload_bytes_max() const {
    return (closed_bits + open_count * kDistanceBitsMax + 7) / 8;
  }
  // What the caller of link must have room for.
  [[nodiscard]] std::size_t reserve_bytes() const { return payload_bytes_max() + kLinkSlackBytes; }
};

}  // namespace tickwire
