// The fixed Huffman code of RFC 1951 3.2.6 as tables of bits that are ready to be written.
//
// DEFLATE packs Huffman codes starting with their most significant bit and everything else starting with
// the least; codes here are already reversed, so a token is written with one shift and one or.
// Values, computed at compile time; any thread.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace tickwire {

inline constexpr std::uint32_t kMatchBytesMin = 3;
inline constexpr std::uint32_t kMatchBytesMax = 258;
inline constexpr std::uint32_t kDistanceMax = 32768;
inline constexpr unsigned kDistanceBitsMax = 5 + 13;

// `count` low bits of `bits`, the rest is zero.
struct Bits {
  std::uint32_t bits = 0;
  std::uint32_t count = 0;
};

namespace fixed_huffman {

constexpr std::uint32_t reversed(std::uint32_t code, unsigned count) {
  std::uint32_t result = 0;
  for (unsigned i = 0; i < count; ++i) result |= ((code >> i) & 1U) << (count - 1 - i);
  return result;
}

// Symbols 0-255 are literals, 256 ends a block, 257-285 are lengths.
constexpr Bits symbol(std::uint32_t value) {
  if (value < 144) return {reversed(0x30 + value, 8), 8};
  if (value < 256) return {reversed(0x190 + value - 144, 9), 9};
  if (value < 280) return {reversed(value - 256, 7), 7};
  return {reversed(0xC0 + value - 280, 8), 8};
}

constexpr std::array<Bits, 256> make_literals() {
  std::array<Bits, 256> table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) table[byte] = symbol(byte);
  return table;
}

constexpr Bits length_bits(std::uint32_t length) {
  if (length == kMatchBytesMax) return symbol(285);
  const std::uint32_t rest = length - kMatchBytesMin;
  if (rest < 8) return symbol(257 + rest);
  const auto extra = static_cast<std::uint32_t>(std::bit_width(rest)) - 3;
  const Bits code = symbol(257 + 4 * extra + (rest >> extra));
  return {code.bits | (rest & ((1U << extra) - 1)) << code.count, code.count + extra};
}

constexpr std::array<Bits, kMatchBytesMax + 1> make_lengths() {
  std::array<Bits, kMatchBytesMax + 1> table{};
  for (std::uint32_t length = kMatchBytesMin; length <= kMatchBytesMax; ++length) {
    table[length] = length_bits(length);
  }
  return table;
}

constexpr std::array<std::uint8_t, 32> make_reversed5() {
  std::array<std::uint8_t, 32> table{};
  for (std::uint32_t code = 0; code < 32; ++code) {
    table[code] = static_cast<std::uint8_t>(reversed(code, 5));
  }
  return table;
}

inline constexpr std::array<std::uint8_t, 32> kReversed5 = make_reversed5();

}  // namespace fixed_huffman

// By byte.
inline constexpr std::array<Bits, 256> kLiteralBits = fixed_huffman::make_literals();
// By match length, extra bits included; entries below kMatchBytesMin are empty.
inline constexpr std::array<Bits, kMatchBytesMax + 1> kLengthBits = fixed_huffman::make_lengths();

// How many extra bits follow the code of a distance.
constexpr std::uint32_t distance_extra_bits(std::uint32_t distance) {
  return static_cast<std::uint32_t>(std::bit_width((distance - 1) | 2U)) - 2;
}

// 1 <= distance <= kDistanceMax.
constexpr Bits distance_bits(std::uint32_t distance) {
  const std::uint32_t rest = distance - 1;
  const std::uint32_t extra = distance_extra_bits(distance);
  const std::uint32_t code = 2 * extra + (rest >> extra);
  return {fixed_huffman::kReversed5[code] | (rest & ((1U << extra) - 1)) << 5, 5 + extra};
}

}  // namespace tickwire
