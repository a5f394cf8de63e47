// valid_utf8: RFC 3629, no overlong forms, no surrogates, nothing past U+10FFFF. No state; any thread.
#pragma once

#include <cstddef>
#include <string_view>

namespace tickwire {

// The length in bytes (1 to 4) of the valid UTF-8 sequence at `at`, 0 when there is none.
std::size_t utf8_sequence(std::string_view text, std::size_t at);

// Where the text stops being UTF-8, from `from` on: its size when all of it is. A sequence that is cut off at
// the end counts as wrong.
std::size_t valid_utf8_end(std::string_view text, std::size_t from);

bool valid_utf8(std::string_view text);

}  // namespace tickwire
