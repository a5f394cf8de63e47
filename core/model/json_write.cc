#include "model/json_write.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <charconv>
#include <cmath>
#include <cstring>

namespace tickwire {
namespace {

// Eight decimal digits as the bytes of a word, the first one lowest: three divisions for all of them at once,
// in lanes of 32, 16 and 8 bits.
std::uint64_t eight_digits(std::uint64_t number) {
  const std::uint64_t fours = number / 10'000 | (number % 10'000) << 32U;
  const std::uint64_t hundreds = (fours * 10'486 >> 20U) & 0x0000'007F'0000'007FU;
  const std::uint64_t twos = hundreds | (fours - hundreds * 100) << 16U;
  const std::uint64_t tens = (twos * 103 >> 10U) & 0x000F'000F'000F'000FU;
  return tens | (twos - tens * 10) << 8U;
}

// Without the first `skip` of eight digits; always writes eight bytes.
void write_digits(char* out, std::uint64_t digits, unsigned skip) {
  std::uint64_t text = (digits | 0x3030'3030'3030'3030U) >> skip * 8;
  for (int i = 0; i < 8; ++i, text >>= 8U) out[i] = static_cast<char>(text & 0xFFU);
}

char* write_integer(char* out, std::uint64_t number) {
  if (number >= 100'000'000) return std::to_chars(out, out + kNumberCharsMax, number).ptr;
  const std::uint64_t digits = eight_digits(number);
  const auto leading = static_cast<unsigned>(std::countr_zero(digits | std::uint64_t{1} << 56U)) / 8;
  write_digits(out, digits, leading);
  return out + 8 - leading;
}

// A double that is a decimal with few digits, as prices are; null when it is another. Of at most 15 digits no
// two decimals are the same double, so one that reads back as `number` is its shortest spelling, but for
// zeros at the end. And one does read back if the division, which is rounded once as reading is, gives
// `number`.
char* write_decimal(char* out, double number) {
  constexpr double kDigitsMax = 1e15;
  for (const double scale : {1e8, 1e4}) {
    if (number * scale >= kDigitsMax) continue;
    const double rounded = number * scale + 0.5;
    const auto scaled = static_cast<std::uint64_t>(rounded);
    if (static_cast<double>(scaled) / scale != number) return nullptr;
    const auto unit = static_cast<std::uint64_t>(scale);
    out = write_integer(out, scaled / unit);
    *out++ = '.';
    const std::uint64_t digits = eight_digits(scaled % unit * (100'000'000 / unit));
    write_digits(out, digits, 0);
    // "1.0", not "1.": the first digit stays, whatever it is.
    return out + 8 - static_cast<unsigned>(std::countl_zero(digits | 1U)) / 8;
  }
  return nullptr;
}

template <typename Real>
char* write_real(char* out, Real number) {
  assert(std::isfinite(number));
  // The same borders as Python's repr, between which no exponent is written.
  const Real magnitude = std::fabs(number);
  const bool fixed = magnitude == 0 || (magnitude >= Real(1e-4) && magnitude < Real(1e16));
  const auto format = fixed ? std::chars_format::fixed : std::chars_format::scientific;
  char* const end = std::to_chars(out, out + kNumberCharsMax, number, format).ptr;
  if (!fixed || std::memchr(out, '.', static_cast<std::size_t>(end - out)) != nullptr) return end;
  *end = '.';
  end[1] = '0';
  return end + 2;
}

// How many bytes a byte of a string takes beyond its own.
constexpr std::array<std::uint8_t, 256> kEscapeBytes = [] {
  std::array<std::uint8_t, 256> table{};
  for (std::size_t i = 0; i < 0x20; ++i) table.at(i) = 5;
  table.at('"') = table.at('\\') = 1;
  return table;
}();

}  // namespace

char* write_json_number(char* out, double number) {
  const double magnitude = std::fabs(number);
  if (magnitude >= 1e-4 || magnitude == 0) {
    *out = '-';
    if (char* const end = write_decimal(out + (std::signbit(number) ? 1 : 0), magnitude)) return end;
  }
  return write_real(out, number);
}

char* write_json_number(char* out, float number) {
  return write_real(out, number);
}

char* write_json_number(char* out, std::int64_t number) {
  *out = '-';
  const auto bits = static_cast<std::uint64_t>(number);
  return number < 0 ? write_integer(out + 1, 0 - bits) : write_integer(out, bits);
}

char* write_json_number(char* out, std::uint64_t number) {
  return write_integer(out, number);
}

std::size_t json_string_bytes(std::string_view text) {
  std::size_t bytes = text.size() + 2;
  for (const char c : text) bytes += kEscapeBytes[static_cast<unsigned char>(c)];
  return bytes;
}

char* write_json_string(char* out, std::string_view text) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  *out++ = '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (kEscapeBytes[byte] > 0) *out++ = '\\';
    if (kEscapeBytes[byte] > 1) {
      out = std::copy_n("u00", 3, out);
      *out++ = kHex[byte >> 4U];
      *out++ = kHex[byte & 15U];
    } else {
      *out++ = c;
    }
  }
  *out++ = '"';
  return out;
}

void append_json_string(std::string& out, std::string_view text) {
  const std::size_t start = out.size();
  out.resize(start + json_string_bytes(text));
  write_json_string(out.data() + start, text);
}

}  // namespace tickwire
