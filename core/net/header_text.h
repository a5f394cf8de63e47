// Small readers of HTTP header values (RFC 9110 section 5.6). Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tickwire {

// Without blanks and tabs at its ends.
std::string_view trimmed(std::string_view text);
std::string lower_case(std::string_view text);
bool equals_ignoring_case(std::string_view a, std::string_view b);

// How many bytes at the beginning of `text` a token may hold (RFC 9110 section 5.6.2); 0: it begins with
// none.
std::size_t token_bytes(std::string_view text);
// Whether all of it is one: a method, the name of a header, a parameter or a cookie.
bool is_token(std::string_view text);

// Whether `list`, a comma-separated header value, holds `element`.
enum class Case : std::uint8_t { kExact, kIgnored };
bool list_holds(std::string_view list, std::string_view element, Case letters);

}  // namespace tickwire
