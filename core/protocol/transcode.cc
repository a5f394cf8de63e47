#include "protocol/transcode.h"

#include <algorithm>
#include <cassert>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/work.h"

namespace tickwire {
namespace {

// Some 40 ns a byte.
constexpr std::size_t kTextBytesAStep = 8;

// nlohmann's ordered object looks through all its fields before it adds one: quadratic, for an image of 1 MiB
// seconds. A parser alone fills ours, so it only appends.
template <typename Key, typename Value, typename IgnoredLess, typename Allocator>
struct AppendedFields : nlohmann::ordered_map<Key, Value, IgnoredLess, Allocator> {
  using nlohmann::ordered_map<Key, Value, IgnoredLess, Allocator>::ordered_map;
  Value& operator[](const Key& key) { return this->emplace_back(key, Value{}).second; }
};
using OrderedJson = nlohmann::basic_json<AppendedFields>;

constexpr std::string_view kLargestDouble = "1.7976931348623157e308";

bool past_a_double(std::string_view number) {
  return OrderedJson::parse(number, nullptr, false).is_discarded();
}

// Valid JSON in which the numbers past a double, which are all that nlohmann refuses of it, are the largest.
std::string with_finite_numbers(std::string_view text) {
  std::string out;
  bool quoted = false;
  while (!text.empty()) {
    std::size_t taken = 1;
    if (!quoted && (text[0] == '-' || (text[0] >= '0' && text[0] <= '9'))) {
      taken = std::min(text.find_first_not_of("+-.0123456789eE"), text.size());
      const std::string_view number = text.substr(0, taken);
      if (past_a_double(number)) {
        out.append(number[0] == '-' ? "-" : "").append(kLargestDouble);
      } else {
        out.append(number);
      }
    } else {
      if (text[0] == '"') quoted = !quoted;
      if (text[0] == '\\') taken = 2;
      out.append(text.substr(0, taken));
    }
    text.remove_prefix(taken);
  }
  return out;
}

}  // namespace

std::string to_binary(Format format, std::string_view text) {
  assert(format != Format::kJson);
  Work::count(text.size() / kTextBytesAStep);
  OrderedJson message = OrderedJson::parse(text, nullptr, false);
  if (message.is_discarded()) message = OrderedJson::parse(with_finite_numbers(text), nullptr, false);
  assert(!message.is_discarded());
  std::string bytes;
  if (format == Format::kMsgpack) {
    OrderedJson::to_msgpack(message, bytes);
  } else {
    OrderedJson::to_cbor(message, bytes);
  }
  return bytes;
}

std::string in_format(Format format, std::string text) {
  return format == Format::kJson ? std::move(text) : to_binary(format, text);
}

}  // namespace tickwire
