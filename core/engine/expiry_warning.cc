#include "engine/expiry_warning.h"

#include <fmt/format.h>

namespace tickwire {
namespace {

constexpr std::int64_t kDayS = 86'400;

}  // namespace

std::optional<std::string> ExpiryWarning::look(std::int64_t expires_s, std::int64_t now_s) {
  const std::int64_t left_s = expires_s - now_s;
  if (left_s >= kWarnDays * kDayS) return std::nullopt;
  if (said_s_ && now_s >= *said_s_ && now_s - *said_s_ < kDayS) return std::nullopt;
  said_s_ = now_s;
  if (left_s <= 0) return "has expired, so clients refuse it; renew it";
  return fmt::format("expires in {} days; renew it", left_s / kDayS);
}

}  // namespace tickwire
