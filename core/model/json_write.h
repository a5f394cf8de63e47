// JSON's numbers and strings as text. No state; any thread.
//
// A float is written by the fewest digits that read back as the same value, with an exponent where Python's
// repr() has one, so that a price from NumPy, from Python and from C++ is spelt alike.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tickwire {

inline constexpr std::size_t kNumberCharsMax = 32;

// Write at `out`, where kNumberCharsMax bytes are free; the end. `number` must be finite.
char* write_json_number(char* out, double number);
char* write_json_number(char* out, float number);
char* write_json_number(char* out, std::int64_t number);
char* write_json_number(char* out, std::uint64_t number);

// `text`, which must be UTF-8, in quotes; escaped is only what JSON demands. How many bytes that takes, and
// where it is written their end.
std::size_t json_string_bytes(std::string_view text);
char* write_json_string(char* out, std::string_view text);
void append_json_string(std::string& out, std::string_view text);

}  // namespace tickwire
