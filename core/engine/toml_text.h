// TOML in, JSON out: the only place that knows a TOML parser. What JSON has no form for (dates, times, inf,
// nan) becomes a string as TOML spells it. No state; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>
#include "base/error.h"

namespace tickwire {

inline constexpr std::size_t kConfigBytesMax = std::size_t{1} << 20U;

// The whole file as an object. kBadConfig: it is longer than kConfigBytesMax, cannot be read, or is no file
// (what stands under /dev may be a pipe of the shell), or "file:line:column: what is wrong".
Result<nlohmann::json> read_toml_file(const std::string& path);

// One value ("5", "[1, 2]", "\"text\""), or nothing when `text` is not one.
std::optional<nlohmann::json> parse_toml_value(std::string_view text);

}  // namespace tickwire
