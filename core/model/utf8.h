// valid_utf8: RFC 3629, no overlong forms, no surrogates, nothing past U+10FFFF. No state; any thread.
#pragma once

#include <cstddef>
#include <string_view>

namespace tickwire {

// The length in bytes (1 to 4) of the valid UTF-8 sequence at `at`, 0 when there is none.
std::size_t utf8_sequence(std::string_view text, std::size_t at);

bool valid_utf8(std::string_view text);

}  // namespace tickwire
