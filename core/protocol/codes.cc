#include "protocol/codes.h"

#include <array>

namespace tickwire {
namespace {

constexpr std::array kRows{
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

}  // namespace

const CodeRow& code_row(ErrorCode code) {
  for (const CodeRow& row : kRows) {
    if (row.code == code) return row;
  }
  return kRows.back();
}

}  // namespace tickwire
