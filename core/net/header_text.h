// Small readers of HTTP header values (RFC 9110 section 5.6). Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tickwire {

// Without blanks and tabs at its ends.
std::string_view trimmed(std::string_view text);
std::string lower_case(std::string_view text);
bool equals_ignoring_case(std::string_view a, std::string_view b);

// Whether `list`, a comma-separated header value, holds `element`.
enum class Case : std::uint8_t { kExact, kIgnored };
bool list_holds(std::string_view list, std::string_view element, Case letters);

}  // namespace tickwire
