#include "client/number_text.h"

#include <charconv>
#include <cstdlib>
#include <limits>
#include <string>
#include <system_error>

namespace tickwire {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

bool is_digit_at(std::string_view text, std::size_t at) {
  return at < text.size() && text[at] >= '0' && text[at] <= '9';
}

// Whether what std::from_chars takes is a number of JSON's, too: it also takes 01, 1. and .5.
bool keeps_to_the_grammar(std::string_view number) {
  const std::size_t first = number.starts_with('-') ? 1 : 0;
  if (!is_digit_at(number, first)) return false;
  if (number[first] == '0' && is_digit_at(number, first + 1)) return false;
  const std::size_t point = number.find('.');
  return point == std::string_view::npos || is_digit_at(number, point + 1);
}

}  // namespace

double number_in(std::string_view value) {
  if (value.size() >= 2 && value.front() == '"') {
    value = value.substr(1, value.size() - 2);
    if (value.starts_with('+') && !value.starts_with("+-")) value.remove_prefix(1);
  }
  if (!keeps_to_the_grammar(value)) return kNone;
  double number = kNone;
  const char* end = value.data() + value.size();
  const std::from_chars_result read = std::from_chars(value.data(), end, number);
  if (read.ptr != end) return kNone;
  if (read.ec == std::errc()) return number;
  number = std::strtod(std::string(value).c_str(), nullptr);  // nearly 0, or past a double
  return number < -1 || number > 1 ? kNone : number;
}

}  // namespace tickwire
