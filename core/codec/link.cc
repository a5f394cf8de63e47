#include "codec/link.h"

#include <array>
#include <bit>
#include <cassert>
#include <cstring>

namespace tickwire {
namespace {

// Value in the low 24 bits, count above: one load an op.
using PackedBits = std::uint32_t;

PackedBits close_distance(OpenDistance open, std::uint32_t gap) {
  const auto distance = static_cast<std::uint32_t>(static_cast<std::int32_t>(gap) + open.offset);
  assert(distance >= 1 && distance <= kDistanceMax);
  const Bits bits = distance_bits(distance);
  return bits.bits | bits.count << 24;
}

void store_little_endian(char* out, std::uint64_t value) {
  if constexpr (std::endian::native == std::endian::big) value = __builtin_bswap64(value);
  std::memcpy(out, &value, sizeof value);
}

}  // namespace

std::size_t link(const Assembled& message, std::span<const std::uint32_t> gaps, char* out) {
  assert(gaps.size() >= message.bases);
  std::array<PackedBits, kOpenDistancesMax + 1> closed;
  closed[0] = 0;
  PackedBits* next = closed.data() + 1;
  for (const OpenDistance& open : message.distances) *next++ = close_distance(open, gaps[open.base]);

  char* const begin = out;
  std::uint64_t buffer = 0;
  unsigned count = 0;
  for (const LinkOp op : message.ops) {
    const PackedBits distance = closed[op.distance()];
    buffer |= op.closed() << count;
    count += op.count();
    buffer |= std::uint64_t{distance & 0xFFFFFFU} << count;
    count += distance >> 24;
    store_little_endian(out, buffer);
    out += count >> 3;
    buffer >>= count & ~7U;
    count &= 7U;
  }
  return static_cast<std::size_t>(out - begin) + (count > 0 ? 1 : 0);
}

}  // namespace tickwire
