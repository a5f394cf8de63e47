// The one table of codes: what an ErrorCode is called on the wire and whether a retry can help, and why a
// connection is closed. web/codes.js, the Python package and docs/PROTOCOL.md say the same, by test.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/error.h"

namespace tickwire {

struct CodeRow {
  ErrorCode code;
  std::string_view name;
  bool retryable;
};

// The row of a code that a client can see; any other is `internal` to it.
const CodeRow& code_row(ErrorCode code);

// 4000-4499: reconnect; 4500-4999: do not.
enum class CloseCode : std::uint16_t {
  kGoingAway = 1001,
  kProtocolError = 1002,
  kNotUtf8 = 1007,
  kTooLarge = 1009,
  kTooSlow = 1013,
  kDrain = 4001,
  kNoPong = 4002,
  kNotAllowed = 4500,
  kWrongDataType = 4501,
};

}  // namespace tickwire
