#include "model/json_object.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <system_error>

#include "model/utf8.h"

namespace tickwire {
namespace {

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Bytes of a string that need a second look: the quote, the backslash, controls, and all that is not ASCII.
constexpr std::array<bool, 256> kSpecial = [] {
  std::array<bool, 256> table{};
  for (std::size_t i = 0; i < 256; ++i) table.at(i) = i < 0x20 || i >= 0x80 || i == '"' || i == '\\';
  return table;
}();

constexpr std::size_t kPlainDigitsMax = 300;  // so many digits without an exponent fit into a double
constexpr int kDoubleExponentMax = 308;
constexpr int kExponentMax = 100'000'000;  // beyond any that a text within its limits can make up for

// The power of ten of its first digit that is not 0; `number` keeps to the grammar.
int decimal_exponent(std::string_view number) {
  const std::size_t e = std::min(number.find_first_of("eE"), number.size());
  const std::size_t point = std::min(number.substr(0, e).find('.'), e);
  const std::size_t first = number.substr(0, e).find_first_of("123456789");
  if (first == std::string_view::npos) return -kExponentMax;
  int exponent = first < point ? static_cast<int>(point - first) - 1 : -static_cast<int>(first - point);
  if (e == number.size()) return exponent;
  const bool negative = number[e + 1] == '-';
  int written = 0;
  for (const char c : number.substr(e + 1)) {
    if (is_digit(c)) written = std::min(written * 10 + (c - '0'), kExponentMax);
  }
  return exponent + (negative ? -written : written);
}

bool past_double(std::string_view number) {
  const int exponent = decimal_exponent(number);
  if (exponent != kDoubleExponentMax) return exponent > kDoubleExponentMax;
  double value = 0;
  return std::from_chars(number.data(), number.data() + number.size(), value).ec ==
         std::errc::result_out_of_range;
}

// One pass over the text. Each method leaves at_ after what it read; false means fault_ says what is wrong at
// at_.
class Scanner {
 public:
  Scanner(std::string_view text, const JsonLimits& limits)
      : text_(text), depth_max_(limits.depth_max), elements_left_(limits.elements_max) {}

  bool object_with_fields(std::vector<JsonField>& fields) {
    skip_space();
    if (peek() != '{') return fail("a JSON object must begin with '{'");
    if (!object(1, &fields)) return false;
    skip_space();
    return at_ == text_.size() || fail("text after the object's end");
  }

  bool only_number() { return number() && at_ == text_.size(); }

  // The one that the text is past.
  [[nodiscard]] std::optional<Limit> limit() const {
    if (fault_ == kTooDeep) return Limit::kJsonDepth;
    return fault_ == kTooMany ? std::optional(Limit::kJsonElements) : std::nullopt;
  }
  [[nodiscard]] std::string fault() const {
    std::string limit = fault_ == kTooDeep ? std::to_string(depth_max_) : "";
    return fault_ + limit + " at byte " + std::to_string(at_);
  }

 private:
  static constexpr const char* kTooDeep = "nested deeper than ";
  static constexpr const char* kTooMany = "more values than are allowed";

  [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool fail(const char* fault) {
    fault_ = fault;
    return false;
  }
  void skip_space() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  }
  bool take(char c) {
    if (peek() != c || at_ >= text_.size()) return false;
    ++at_;
    return true;
  }

  // Within its first brace. `fields` collects this object's own fields, null for nested ones.
  bool object(std::size_t depth, std::vector<JsonField>* fields) {
    if (depth > depth_max_) return fail(kTooDeep);
    ++at_;
    skip_space();
    if (take('}')) return true;
    do {
      skip_space();
      JsonField field;
      if (peek() != '"') return fail("expected a field name");
      field.key = static_cast<std::uint32_t>(at_ + 1);
      if (!string(field.key_escaped)) return false;
      field.key_size = static_cast<std::uint32_t>(at_ - 1 - field.key);
      skip_space();
      if (!take(':')) return fail("expected ':'");
      skip_space();
      field.value = static_cast<std::uint32_t>(at_);
      if (!value(depth)) return false;
      field.value_size = static_cast<std::uint32_t>(at_ - field.value);
      if (fields != nullptr) fields->push_back(field);
      skip_space();
    } while (take(','));
    return take('}') || fail("expected ',' or '}'");
  }

  bool array(std::size_t depth) {
    if (depth > depth_max_) return fail(kTooDeep);
    ++at_;
    skip_space();
    if (take(']')) return true;
    do {
      skip_space();
      if (!value(depth)) return false;
      skip_space();
    } while (take(','));
    return take(']') || fail("expected ',' or ']'");
  }

  bool value(std::size_t depth) {  // NOLINT(misc-no-recursion): depth_max_ bounds it
    if (elements_left_-- == 0) return fail(kTooMany);
    bool escaped = false;
    switch (peek()) {
      case '{':
        return object(depth + 1, nullptr);
      case '[':
        return array(depth + 1);
      case '"':
        return string(escaped);
      case 't':
        return word("true");
      case 'f':
        return word("false");
      case 'n':
        return word("null");
      default:
        return number();
    }
  }

  bool word(std::string_view expected) {
    if (text_.substr(at_, expected.size()) != expected) return fail("expected a value");
    at_ += expected.size();
    return true;
  }

  bool digits() {
    const std::size_t start = at_;
    while (is_digit(peek())) ++at_;
    return at_ > start || fail("expected a digit");
  }

  bool number() {
    const std::size_t start = at_;
    take('-');
    if (!is_digit(peek())) {
      return fail(at_ == start ? "expected a value" : "expected a digit");
    }
    if (!take('0') && !digits()) return false;
    if (take('.') && !digits()) return false;
    const bool exponent = take('e') || take('E');
    if (exponent) {
      if (!take('+')) take('-');
      if (!digits()) return false;
    }
    if (!exponent && at_ - start <= kPlainDigitsMax) return true;
    return !past_double(text_.substr(start, at_ - start)) || fail("a number past a double (1.8e308)");
  }

  bool string(bool& escaped) {
    ++at_;
    while (true) {
      while (at_ < text_.size() && !kSpecial[static_cast<unsigned char>(text_[at_])]) ++at_;
      if (at_ >= text_.size()) return fail("a string without an end");
      if (take('"')) return true;
      if (text_[at_] == '\\') {
        escaped = true;
        if (!escape()) return false;
      } else {
        const std::size_t size = utf8_sequence(text_, at_);
        if (size == 0) return fail("not UTF-8");
        if (size == 1) return fail("a control character in a string");
        at_ += size;
      }
    }
  }

  bool escape() {
    ++at_;
    if (peek() != 'u') {
      if (at_ >= text_.size() || std::string_view("\"\\/bfnrt").find(peek()) == std::string_view::npos) {
        return fail("not an escape");
      }
      ++at_;
      return true;
    }
    unsigned unit = 0;
    if (!unicode_unit(unit)) return false;
    if (unit >= 0xDC00 && unit <= 0xDFFF) return fail("a lone surrogate");
    if (unit < 0xD800 || unit > 0xDBFF) return true;
    unsigned low = 0;
    if (!take('\\') || peek() != 'u' || !unicode_unit(low)) return fail("a lone surrogate");
    return (low >= 0xDC00 && low <= 0xDFFF) || fail("a lone surrogate");
  }

  // At the 'u' of \uXXXX.
  bool unicode_unit(unsigned& unit) {
    ++at_;
    for (int i = 0; i < 4; ++i, ++at_) {
      const char c = peek();
      const char lower = static_cast<char>(c | 0x20);
      if (is_digit(c)) {
        unit = unit * 16 + static_cast<unsigned>(c - '0');
      } else if (lower >= 'a' && lower <= 'f') {
        unit = unit * 16 + static_cast<unsigned>(lower - 'a') + 10;
      } else {
        return fail("expected four hexadecimal digits");
      }
    }
    return true;
  }

  std::string_view text_;
  std::size_t depth_max_;
  std::size_t elements_left_;
  std::size_t at_ = 0;
  const char* fault_ = "";
};

}  // namespace

Status check_payload_bytes(std::size_t bytes, const JsonLimits& limits) {
  if (bytes <= limits.bytes_max) return ok_status();
  return Error{ErrorCode::kBadData,
               "data: " + std::to_string(bytes) + " bytes, at most " + std::to_string(limits.bytes_max) +
                   " are allowed",
               "data", limits.bytes_limit};
}

bool is_json_number(std::string_view text) {
  return Scanner(text, {}).only_number();
}

Status scan_object(std::string_view text, std::vector<JsonField>& fields, const JsonLimits& limits) {
  fields.clear();
  if (Status fits = check_payload_bytes(text.size(), limits); !fits) return fits;
  Scanner scanner(text, limits);
  if (scanner.object_with_fields(fields)) return ok_status();
  const auto limit = scanner.limit();
  return Error{ErrorCode::kBadData,
               limit == Limit::kJsonElements
                   ? "data: more than " + std::to_string(limits.elements_max) + " values"
                   : "data: " + scanner.fault(),
               "data", limit};
}

}  // namespace tickwire
