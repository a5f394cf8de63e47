// BinarySkipper: walks over values of MessagePack and CBOR without building them and without judging them.
//
// Pure; any thread; the bytes must outlive it. Knows every type of both formats (MessagePack's specification;
// RFC 8949 section 3), so that it finds the end of a value that nobody here would take. Never recurses:
// values of known length within each other are one count, and only containers of unknown length (CBOR) take
// memory, up to kUnknownLengthDepthMax of them within each other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "protocol/format.h"

namespace tickwire {

inline constexpr std::size_t kUnknownLengthDepthMax = 1024;

// One value: what it is if it is an integer or a text, kOther for all else.
struct BinaryScalar {
  enum class Kind : std::uint8_t { kUnsigned, kNegative, kText, kOther, kBreak };
  Kind kind = Kind::kOther;
  std::uint64_t number = 0;  // kUnsigned: itself; kNegative: -1 - number, at most 2^63 - 1
  std::string_view text;
};

class BinarySkipper {
 public:
  BinarySkipper(Format format, std::string_view bytes) : format_(format), bytes_(bytes) {}

  // Enters the map that the bytes begin with: how many members it has, UINT64_MAX when it does not say.
  // Nothing: it is no map.
  std::optional<std::uint64_t> enter_map();
  // Reads the next value and all that is in it. Nothing: the bytes end or say nothing that has an end.
  std::optional<BinaryScalar> next();

 private:
  // A value's head: what follows it in the bytes, and how many values are in it.
  struct Head {
    BinaryScalar value{};
    std::uint64_t bytes = 0;
    std::uint64_t items = 0;
    bool unknown_length = false;
    bool map = false;
  };
  std::optional<Head> head();
  std::optional<Head> msgpack_head();
  std::optional<Head> cbor_head();
  std::optional<std::uint64_t> number(std::size_t size);

  Format format_;
  std::string_view bytes_;
  std::size_t at_ = 0;
};

}  // namespace tickwire
