#include "protocol/skip_binary.h"

#include <utility>
#include <vector>

namespace tickwire {
namespace {

using Kind = BinaryScalar::Kind;

constexpr std::uint64_t kUnknown = UINT64_MAX;
constexpr std::uint8_t kCborBreak = 0xFF;
constexpr unsigned kCborUnknownLength = 31;

enum class CborMajor : std::uint8_t { kUnsigned, kNegative, kBytes, kText, kArray, kMap, kTag, kSimple };

}  // namespace

// Big-endian.
std::optional<std::uint64_t> BinarySkipper::number(std::size_t size) {
  if (bytes_.size() - at_ < size) return std::nullopt;
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value = value << 8U | static_cast<std::uint8_t>(bytes_[at_++]);
  return value;
}

std::optional<BinarySkipper::Head> BinarySkipper::cbor_head() {
  const std::optional<std::uint64_t> initial = number(1);
  if (!initial) return std::nullopt;
  Head head;
  if (*initial == kCborBreak) {
    head.value.kind = Kind::kBreak;
    return head;
  }
  const auto major = static_cast<CborMajor>(*initial >> 5U);
  const auto info = static_cast<unsigned>(*initial & 0x1FU);
  if (info > 27 && info != kCborUnknownLength) return std::nullopt;
  std::optional<std::uint64_t> argument = info;
  if (info >= 24 && info <= 27) argument = number(std::size_t{1} << (info - 24));
  if (!argument) return std::nullopt;
  head.unknown_length = info == kCborUnknownLength;
  if (head.unknown_length && (major < CborMajor::kBytes || major == CborMajor::kTag)) return std::nullopt;
  if (head.unknown_length) argument = 0;
  head.map = major == CborMajor::kMap;
  if (major == CborMajor::kUnsigned) head.value = {Kind::kUnsigned, *argument, {}};
  if (major == CborMajor::kNegative && *argument <= INT64_MAX) head.value = {Kind::kNegative, *argument, {}};
  if (major == CborMajor::kText && !head.unknown_length) head.value.kind = Kind::kText;
  if (major == CborMajor::kBytes || major == CborMajor::kText) head.bytes = *argument;
  if (major == CborMajor::kArray) head.items = *argument;
  if (major == CborMajor::kMap) head.items = *argument > UINT64_MAX / 4 ? UINT64_MAX / 2 : 2 * *argument;
  if (major == CborMajor::kTag) head.items = 1;
  return head;
}

std::optional<BinarySkipper::Head> BinarySkipper::msgpack_head() {
  const std::optional<std::uint64_t> initial = number(1);
  if (!initial) return std::nullopt;
  const auto byte = static_cast<unsigned>(*initial);
  Head head;
  const auto sized = [&](std::size_t size, std::uint64_t Head::* count, std::uint64_t times,
                         std::uint64_t more) -> std::optional<Head> {
    const std::optional<std::uint64_t> length = number(size);
    if (!length) return std::nullopt;
    head.*count = *length * times + more;
    return head;
  };
  const auto integer = [&](std::size_t size, bool is_signed) -> std::optional<Head> {
    const std::optional<std::uint64_t> value = number(size);
    if (!value) return std::nullopt;
    const bool negative = is_signed && (*value >> (8 * size - 1)) != 0;
    const std::uint64_t ones = size == 8 ? 0 : UINT64_MAX << (8 * size);
    head.value = negative ? BinaryScalar{Kind::kNegative, ~(*value | ones), {}}
                          : BinaryScalar{Kind::kUnsigned, *value, {}};
    return head;
  };
  if (byte <= 0x7F) return Head{{Kind::kUnsigned, byte, {}}};
  if (byte >= 0xE0) return Head{{Kind::kNegative, 0xFFU - byte, {}}};
  if (byte <= 0x8F) return Head{.items = std::uint64_t{2} * (byte & 0x0FU), .map = true};
  if (byte <= 0x9F) return Head{.items = byte & 0x0FU};
  if (byte <= 0xBF) return Head{.value = {Kind::kText, 0, {}}, .bytes = byte & 0x1FU};
  if (byte <= 0xC3) return head;                                                        // nil, false, true
  if (byte <= 0xC6) return sized(std::size_t{1} << (byte - 0xC4), &Head::bytes, 1, 0);  // bin
  if (byte <= 0xC9) return sized(std::size_t{1} << (byte - 0xC7), &Head::bytes, 1, 1);  // ext, its type
  if (byte <= 0xCB) return Head{.bytes = byte == 0xCA ? 4U : 8U};                       // float
  if (byte <= 0xCF) return integer(std::size_t{1} << (byte - 0xCC), false);
  if (byte <= 0xD3) return integer(std::size_t{1} << (byte - 0xD0), true);
  if (byte <= 0xD8) return Head{.bytes = 1 + (std::uint64_t{1} << (byte - 0xD4))};  // fixext
  if (byte <= 0xDB) {
    head.value.kind = Kind::kText;
    return sized(std::size_t{1} << (byte - 0xD9), &Head::bytes, 1, 0);
  }
  head.map = byte >= 0xDE;
  return sized(std::size_t{2} << (byte & 1U), &Head::items, head.map ? 2 : 1, 0);
}

std::optional<BinarySkipper::Head> BinarySkipper::head() {
  std::optional<Head> head = format_ == Format::kCbor ? cbor_head() : msgpack_head();
  if (!head || head->bytes > bytes_.size() - at_) return std::nullopt;
  if (head->value.kind == Kind::kText) head->value.text = bytes_.substr(at_, head->bytes);
  at_ += head->bytes;
  return head;
}

std::optional<std::uint64_t> BinarySkipper::enter_map() {
  const std::optional<Head> map = head();
  if (!map || !map->map) return std::nullopt;
  return map->unknown_length ? kUnknown : map->items / 2;
}

std::optional<BinaryScalar> BinarySkipper::next() {
  const std::optional<Head> first = head();
  if (!first || first->value.kind == Kind::kBreak) return std::nullopt;
  std::uint64_t left = first->items;  // values still to come in the innermost container of unknown length
  std::vector<std::uint64_t> outer;   // of those around it
  if (first->unknown_length) outer.push_back(std::exchange(left, 0));
  while (left > 0 || !outer.empty()) {
    const std::optional<Head> head = this->head();
    if (!head) return std::nullopt;
    if (head->value.kind == Kind::kBreak) {
      if (left > 0 || outer.empty()) return std::nullopt;
      left = outer.back();
      outer.pop_back();
      continue;
    }
    // Within a container of unknown length its own values are not counted, only those in them.
    if (left > 0) --left;
    if (head->items > UINT64_MAX - left) return std::nullopt;
    left += head->items;
    if (!head->unknown_length) continue;
    if (outer.size() == kUnknownLengthDepthMax) return std::nullopt;
    outer.push_back(std::exchange(left, 0));
  }
  return first->value;
}

}  // namespace tickwire
