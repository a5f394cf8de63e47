// The one table of codes: what an ErrorCode is called on the wire and whether a retry can help, and why a
// connection is closed. web/codes.js, the Python package and docs/PROTOCOL.md say the same, by test.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"

namespace tickwire {

struct CodeRow {
  ErrorCode code;
  std::string_view name;
  bool retryable;
};

// The codes that a client can see, in the order of ErrorCode.
inline constexpr std::array kCodeRows{
    CodeRow{ErrorCode::kBadMessage, "bad_message", false},
    CodeRow{ErrorCode::kUnknownCommand, "unknown_command", false},
    CodeRow{ErrorCode::kBadTopic, "bad_topic", false},
    CodeRow{ErrorCode::kBadData, "bad_data", false},
    CodeRow{ErrorCode::kTooLarge, "too_large", false},
    CodeRow{ErrorCode::kTooMany, "too_many", true},
    CodeRow{ErrorCode::kDenied, "denied", false},
    CodeRow{ErrorCode::kNotSubscribed, "not_subscribed", false},
    CodeRow{ErrorCode::kUnavailable, "unavailable", true},
    CodeRow{ErrorCode::kUnknownTopic, "unknown_topic", false},
    CodeRow{ErrorCode::kDraining, "draining", true},
    CodeRow{ErrorCode::kInternal, "internal", true},
};

// The row of a code that a client can see; any other is `internal` to it.
constexpr const CodeRow& code_row(ErrorCode code) {
  const auto place = static_cast<std::size_t>(code);
  return place < kCodeRows.size() ? kCodeRows[place] : kCodeRows.back();
}

static_assert([] {
  for (std::size_t place = 0; place < kCodeRows.size(); ++place) {
    if (static_cast<std::size_t>(kCodeRows[place].code) != place) return false;
  }
  return true;
}());

// 4000-4499: reconnect; 4500-4999: do not.
enum class CloseCode : std::uint16_t {
  kGoingAway = 1001,
  kProtocolError = 1002,
  kNotUtf8 = 1007,
  kPolicy = 1008,
  kTooLarge = 1009,
  kTooSlow = 1013,
  kDrain = 4001,
  kNoPong = 4002,
  kNeedsFreshToken = 4003,  // its token expired, or nobody could judge it
  kNotAllowed = 4500,
  kWrongDataType = 4501,
  kRevoked = 4502,
};

}  // namespace tickwire
