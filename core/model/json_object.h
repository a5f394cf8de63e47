// scan_object: the top-level fields of a JSON object, as places in its text, checked in one pass.
//
// A feed's payload is never re-serialised ("0.10", 1e5 and the order of keys stay as they are), so what
// merging needs is not a tree but where each field stands. nlohmann/json, which reads all control messages,
// reports no positions; this scanner accepts exactly the same texts (RFC 8259, UTF-8, no lone surrogates, no
// number past a double, which readers would take for infinity), proved by a property test against it. No
// state, no allocation beyond `fields`; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace tickwire {

inline constexpr std::size_t kPayloadBytesMax = 1U << 20U;
inline constexpr std::size_t kJsonDepthMax = 16;

// One `"key":value` of an object; offsets in bytes from the start of the text.
struct JsonField {
  std::uint32_t key = 0;         // first byte after the opening quote
  std::uint32_t key_size = 0;    // without quotes
  std::uint32_t value = 0;       // first byte of the value
  std::uint32_t value_size = 0;  // without surrounding white space
  bool key_escaped = false;      // the key holds a backslash

  [[nodiscard]] std::string_view key_in(std::string_view text) const { return text.substr(key, key_size); }
  [[nodiscard]] std::string_view value_in(std::string_view text) const {
    return text.substr(value, value_size);
  }
  [[nodiscard]] bool is_null_in(std::string_view text) const { return value_in(text) == "null"; }
};

struct JsonLimits {
  std::size_t bytes_max = kPayloadBytesMax;
  Limit bytes_limit = Limit::kPayloadBytes;                            // what bytes_max is
  std::size_t depth_max = kJsonDepthMax;                               // the object itself is 1
  std::size_t elements_max = std::numeric_limits<std::size_t>::max();  // values, those within others included
};

// An image, which many updates make up, may be longer than one of them.
inline constexpr std::size_t kImageBytesMax = 2U << 20U;
inline constexpr JsonLimits kImageLimits{.bytes_max = kImageBytesMax, .bytes_limit = Limit::kImageBytes};

// kBadData when a payload of so many bytes is too long.
Status check_payload_bytes(std::size_t bytes, const JsonLimits& limits = {});

// RFC 8259's grammar of a number; a double must be able to hold it, if not all its digits.
bool is_json_number(std::string_view text);

// Fills `fields` (cleared first) in the order of the text. kBadData with the byte's place, when `text` is not
// one JSON object or is past a limit.
Status scan_object(std::string_view text, std::vector<JsonField>& fields, const JsonLimits& limits = {});

}  // namespace tickwire
