#include "codec/fixed_inflate.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cstdint>
#include <cstring>

#include "codec/fixed_huffman.h"

namespace tickwire {
namespace {

static_assert(std::endian::native == std::endian::little, "bytes are loaded as DEFLATE packs its bits");

constexpr unsigned kSymbolBitsMax = 9;
constexpr unsigned kDistanceCodeBits = 5;
constexpr std::uint32_t kEndOfBlock = 256;
constexpr std::uint32_t kSymbols = 286;       // 286 and 287 have codes, but never occur
constexpr std::uint32_t kDistanceCodes = 30;  // nor do 30 and 31
constexpr std::size_t kCopyStride = 16;       // a copy may write so many bytes too far

enum class Kind : std::uint8_t { kInvalid, kLiteral, kLength, kEnd };

struct Symbol {
  std::uint16_t value = 0;  // the byte, or the shortest length
  Kind kind = Kind::kInvalid;
  std::uint8_t bits = 0;  // of its code
  std::uint8_t extra = 0;
};

struct Distance {
  std::uint16_t shortest = 0;  // 0: invalid
  std::uint8_t extra = 0;
};

constexpr Symbol length_symbol(std::uint32_t value, std::uint8_t bits) {
  const std::uint32_t code = value - 257;
  if (value == 285) return {kMatchBytesMax, Kind::kLength, bits, 0};
  if (code < 8) return {static_cast<std::uint16_t>(kMatchBytesMin + code), Kind::kLength, bits, 0};
  const std::uint32_t extra = code / 4 - 1;
  const std::uint32_t shortest = kMatchBytesMin + ((4 + code % 4) << extra);
  return {static_cast<std::uint16_t>(shortest), Kind::kLength, bits, static_cast<std::uint8_t>(extra)};
}

// By the next nine bits.
constexpr std::array<Symbol, 1U << kSymbolBitsMax> make_symbols() {
  std::array<Symbol, 1U << kSymbolBitsMax> table{};
  for (std::uint32_t value = 0; value < kSymbols; ++value) {
    const Bits code = fixed_huffman::symbol(value);
    const auto bits = static_cast<std::uint8_t>(code.count);
    Symbol symbol{static_cast<std::uint16_t>(value), Kind::kLiteral, bits, 0};
    if (value == kEndOfBlock) symbol.kind = Kind::kEnd;
    if (value > kEndOfBlock) symbol = length_symbol(value, bits);
    for (std::uint32_t rest = 0; rest < 1U << (kSymbolBitsMax - code.count); ++rest) {
      table.at(code.bits | rest << code.count) = symbol;
    }
  }
  return table;
}

// By the next five bits.
constexpr std::array<Distance, 1U << kDistanceCodeBits> make_distances() {
  std::array<Distance, 1U << kDistanceCodeBits> table{};
  for (std::uint32_t code = 0; code < kDistanceCodes; ++code) {
    const std::uint32_t extra = code < 2 ? 0 : code / 2 - 1;
    const std::uint32_t shortest = code < 2 ? code + 1 : 1 + ((2 + code % 2) << extra);
    table.at(fixed_huffman::kReversed5.at(code)) = {static_cast<std::uint16_t>(shortest),
                                                    static_cast<std::uint8_t>(extra)};
  }
  return table;
}

constexpr std::array<Symbol, 1U << kSymbolBitsMax> kSymbolTable = make_symbols();
constexpr std::array<Distance, 1U << kDistanceCodeBits> kDistanceTable = make_distances();

// The bits of a payload, lowest first. Past its end they are zero, and left() is negative.
class BitReader {
 public:
  explicit BitReader(std::string_view bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  // From here on 56 bits can be taken, as far as there are any.
  void refill() {
    if (end_ - at_ >= 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, at_, sizeof word);
      bits_ |= word << count_;
      const int taken = (63 - count_) / 8;
      at_ += taken;
      count_ += 8 * taken;
      return;
    }
    while (count_ <= 48 && at_ < end_) {
      bits_ |= std::uint64_t{static_cast<unsigned char>(*at_++)} << count_;
      count_ += 8;
    }
  }

  [[nodiscard]] std::uint32_t peek(unsigned count) const {
    return static_cast<std::uint32_t>(bits_ & ((std::uint64_t{1} << count) - 1));
  }
  void drop(unsigned count) {
    bits_ >>= count;
    count_ -= static_cast<int>(count);
  }
  std::uint32_t take(unsigned count) {
    const std::uint32_t bits = peek(count);
    drop(count);
    return bits;
  }
  // The bytes that begin at the next whole byte; no bits are left.
  std::string_view rest() {
    const char* from = at_ - count_ / 8;
    bits_ = 0;
    count_ = 0;
    at_ = end_;
    return {from, static_cast<std::size_t>(end_ - from)};
  }
  // Whether more bits were taken than there are.
  [[nodiscard]] bool overdrawn() const { return count_ < 0; }
  [[nodiscard]] bool has(int count) const { return count_ >= count; }

 private:
  const char* at_;
  const char* end_;
  std::uint64_t bits_ = 0;
  int count_ = 0;
};

// Writes up to 2 * kCopyStride bytes too many.
void copy_match(char* to, std::size_t distance, std::size_t length) {
  const char* from = to - distance;
  if (distance < kCopyStride) {
    for (const char* end = to + length; to < end;) *to++ = *from++;
    return;
  }
  std::memcpy(to, from, kCopyStride);  // most are not longer
  std::memcpy(to + kCopyStride, from + kCopyStride, kCopyStride);
  for (std::size_t at = 2 * kCopyStride; at < length; at += kCopyStride) {
    std::memcpy(to + at, from + at, kCopyStride);
  }
}

class Run {
 public:
  // `oldest`: the first byte that may be referred to.
  Run(std::string_view payload, const char* oldest, char* begin, std::size_t window_bytes,
      std::size_t message_bytes_max)
      : in_(payload),
        oldest_(oldest),
        window_bytes_(window_bytes),
        to_(begin),
        limit_(begin + message_bytes_max) {}

  // Null: refused. Else the end of what was inflated.
  char* inflate() {
    while (true) {
      in_.refill();
      if (!in_.has(3)) return nullptr;
      const bool final_block = in_.take(1) != 0;
      const std::uint32_t type = in_.take(2);
      if (final_block || type > 1) return nullptr;
      if (type == 1) {
        if (!fixed_block()) return nullptr;
        continue;
      }
      const std::string_view rest = in_.rest();
      // The sender left the rest of an empty block out.
      if (rest.empty()) return to_ <= limit_ ? to_ : nullptr;
      if (!stored_block(rest)) return nullptr;
    }
  }

 private:
  bool fixed_block() {
    while (true) {
      in_.refill();
      Symbol symbol = next_symbol();
      // Two more literals fit into what a refill brings, and a length with its distance.
      if (symbol.kind == Kind::kLiteral) {
        *to_++ = static_cast<char>(symbol.value);
        symbol = next_symbol();
        if (symbol.kind == Kind::kLiteral) {
          *to_++ = static_cast<char>(symbol.value);
          if (to_ > limit_ || in_.overdrawn()) return false;
          continue;
        }
      }
      if (symbol.kind == Kind::kEnd) return !in_.overdrawn();
      if (symbol.kind == Kind::kInvalid) return false;
      if (!match(symbol) || to_ > limit_) return false;
    }
  }

  Symbol next_symbol() {
    const Symbol symbol = kSymbolTable[in_.peek(kSymbolBitsMax)];
    in_.drop(symbol.bits);
    return symbol;
  }

  bool match(Symbol symbol) {
    const std::size_t length = symbol.value + in_.take(symbol.extra);
    const Distance code = kDistanceTable[in_.take(kDistanceCodeBits)];
    const std::size_t distance = code.shortest + in_.take(code.extra);
    if (code.shortest == 0 || in_.overdrawn()) return false;
    if (distance > window_bytes_ || distance > static_cast<std::size_t>(to_ - oldest_)) return false;
    copy_match(to_, distance, length);
    to_ += length;
    return true;
  }

  // `rest` begins with the block's length.
  bool stored_block(std::string_view rest) {
    constexpr std::size_t kHeadBytes = 4;
    if (rest.size() < kHeadBytes) return false;
    std::uint16_t size = 0;
    std::uint16_t inverted = 0;
    std::memcpy(&size, rest.data(), sizeof size);
    std::memcpy(&inverted, rest.data() + sizeof size, sizeof inverted);
    rest.remove_prefix(kHeadBytes);
    if (static_cast<std::uint16_t>(~size) != inverted || rest.size() < size) return false;
    if (limit_ - to_ < size) return false;
    std::memcpy(to_, rest.data(), size);
    to_ += size;
    in_ = BitReader(rest.substr(size));
    return true;
  }

  BitReader in_;
  const char* oldest_;
  std::size_t window_bytes_;
  char* to_;
  char* limit_;
};

// Behind its limit a run writes two literals, or a match and what it writes too far.
constexpr std::size_t kSlackBytes = kMatchBytesMax + 2 * kCopyStride + 2;

}  // namespace

FixedInflate::FixedInflate(std::size_t window_bytes, std::size_t message_bytes_max)
    : window_bytes_(window_bytes), message_bytes_max_(std::min(message_bytes_max, kMessageBytesMax)) {
  static_assert(kBufferBytes >= kDistanceMax + kMessageBytesMax + kSlackBytes);
  assert(window_bytes <= kDistanceMax);
}

std::optional<std::string_view> FixedInflate::inflate(std::string_view payload) {
  make_room();
  char* begin = buffer_.get() + end_;
  const char* end = Run(payload, buffer_.get(), begin, window_bytes_, message_bytes_max_).inflate();
  if (end == nullptr) return std::nullopt;
  const std::string_view message(begin, static_cast<std::size_t>(end - begin));
  end_ += message.size();
  return message;
}

void FixedInflate::append(std::string_view message) {
  if (message.size() > window_bytes_) message.remove_prefix(message.size() - window_bytes_);
  make_room();
  std::copy(message.begin(), message.end(), buffer_.get() + end_);
  end_ += message.size();
}

std::string_view FixedInflate::history() const {
  const std::size_t size = std::min(end_, window_bytes_);
  return {buffer_.get() + end_ - size, size};
}

void FixedInflate::make_room() {
  if (!buffer_) buffer_.reset(new char[kBufferBytes]);
  if (end_ + kMessageBytesMax + kSlackBytes <= kBufferBytes) return;
  const std::string_view kept = history();
  std::memmove(buffer_.get(), kept.data(), kept.size());
  end_ = kept.size();
}

}  // namespace tickwire
