#include "protocol/cbor_guard.h"

#include <cstddef>
#include <cstdint>
#include <string>

namespace tickwire {
namespace {

constexpr std::uint8_t kBreak = 0xFF;
constexpr unsigned kUnknownLength = 31;  // as a head's additional information

enum Major : unsigned { kNegative = 1, kBytes = 2, kText = 3 };

// What stands after the initial byte and says a number: 0, 1, 2, 4 or 8 bytes.
std::size_t argument_bytes(unsigned info) {
  return info < 24 || info > 27 ? 0 : std::size_t{1} << (info - 24);
}

Error bad(const char* what, std::size_t at) {
  return {ErrorCode::kBadMessage, "message: " + std::string(what) + " at byte " + std::to_string(at), ""};
}

}  // namespace

Status check_cbor(std::string_view bytes) {
  bool in_pieces = false;  // in a string of unknown length
  for (std::size_t at = 0; at < bytes.size();) {
    const auto initial = static_cast<std::uint8_t>(bytes[at]);
    const unsigned major = initial >> 5U;
    const unsigned info = initial & 0x1FU;
    const std::size_t size = argument_bytes(info);
    if (bytes.size() - at <= size) break;  // ends too early, which the reader says
    std::uint64_t argument = size == 0 ? info : 0;
    for (std::size_t i = 1; i <= size; ++i)
      argument = argument << 8U | static_cast<std::uint8_t>(bytes[at + i]);
    if (major == kNegative && argument > INT64_MAX) return bad("an integer below -2^63", at);
    const bool string = major == kBytes || major == kText;
    if (string && info == kUnknownLength) {
      if (in_pieces) return bad("a string of unknown length within another", at);
      in_pieces = true;
    } else if (initial == kBreak) {
      in_pieces = false;
    }
    at += 1 + size;
    if (string && info != kUnknownLength) {
      if (argument > bytes.size() - at) break;
      at += static_cast<std::size_t>(argument);
    }
  }
  return ok_status();
}

}  // namespace tickwire
