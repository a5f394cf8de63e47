// parse_unique_json: an object of JSON that decides about rights, as a tree. Two readers of a text that names
// a member twice may see two different values, so such a text is refused, at every level. No state; any
// thread.
#pragma once

#include <cstddef>
#include <string_view>

#include <nlohmann/json.hpp>
#include "base/error.h"

namespace tickwire {

inline constexpr std::size_t kAccessJsonElementsMax = 4'096;

// kBadMessage: `text` is no JSON object, is longer than `bytes_max`, deeper than kJsonDepthMax, has more than
// kAccessJsonElementsMax values, or names a member twice. The message repeats nothing of the text.
Result<nlohmann::json> parse_unique_json(std::string_view text, std::size_t bytes_max);

}  // namespace tickwire
