#include "protocol/salvage.h"

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "model/utf8.h"
#include "protocol/command.h"
#include "protocol/encode.h"
#include "protocol/skip_binary.h"

namespace tickwire {
namespace {

using nlohmann::json;

constexpr std::string_view kSpaces = " \t\r\n";

// The end of the string that begins at `at`; npos when it has none.
std::size_t string_end(std::string_view text, std::size_t at) {
  for (++at; at < text.size(); ++at) {
    if (text[at] == '"') return at + 1;
    if (text[at] == '\\') ++at;
  }
  return std::string_view::npos;
}

// The end of the value that begins at `at`: of a broken one, where the text ends.
std::size_t value_end(std::string_view text, std::size_t at) {
  std::size_t depth = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (depth == 0 && (c == ',' || c == '}' || c == ']')) return at;
    if (c == '"') {
      at = string_end(text, at);
      continue;
    }
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    ++at;
  }
  return text.size();
}

std::string_view trimmed(std::string_view text) {
  const std::size_t last = text.find_last_not_of(kSpaces);
  return last == std::string_view::npos ? std::string_view() : text.substr(0, last + 1);
}

std::optional<std::string> key_of(std::string_view quoted) {
  const json key = json::parse(quoted, nullptr, false);
  return key.is_string() ? std::optional(key.get<std::string>()) : std::nullopt;
}

// The id as it is echoed; empty when it is not an id.
std::string id_of(std::string_view value) {
  if (value.size() > 8 * kIdBytesMax) return {};  // each byte may be written as an escape
  const json id = json::parse(value, nullptr, false);
  if (id.is_number_integer()) return id.dump();
  if (!id.is_string() || id.get_ref<const std::string&>().size() > kIdBytesMax) return {};
  return id.dump();
}

Salvage salvage_text(std::string_view text) {
  Salvage found;
  std::size_t at = text.find_first_not_of(kSpaces);
  if (at == std::string_view::npos || text[at] != '{') return found;
  do {
    const std::size_t key = text.find_first_not_of(kSpaces, at + 1);
    if (key == std::string_view::npos || text[key] != '"') break;
    const std::size_t key_end = string_end(text, key);
    const std::size_t colon = text.find_first_not_of(kSpaces, key_end);
    if (colon == std::string_view::npos || text[colon] != ':') break;
    const std::size_t start = text.find_first_not_of(kSpaces, colon + 1);
    if (start == std::string_view::npos) break;
    at = value_end(text, start);
    const std::string_view value = trimmed(text.substr(start, at - start));
    const std::optional<std::string> name = key_of(text.substr(key, key_end - key));
    if (name == "id") found.id = id_of(value);
    if (name == "data") found.data = value;
  } while (at < text.size() && text[at] == ',');
  return found;
}

std::string quoted_id(const BinaryScalar& value) {
  if (value.kind == BinaryScalar::Kind::kUnsigned) return std::to_string(value.number);
  if (value.kind == BinaryScalar::Kind::kNegative)
    return std::to_string(-1 - static_cast<std::int64_t>(value.number));
  if (value.kind != BinaryScalar::Kind::kText || value.text.size() > kIdBytesMax) return {};
  return valid_utf8(value.text) ? quote_json(value.text) : std::string();
}

Salvage salvage_binary(BinarySkipper& message) {
  Salvage found;
  const std::optional<std::uint64_t> members = message.enter_map();
  for (std::uint64_t i = 0; members && i < *members; ++i) {
    const std::optional<BinaryScalar> key = message.next();
    if (!key) break;
    const std::optional<BinaryScalar> value = message.next();
    if (!value) break;
    if (key->kind == BinaryScalar::Kind::kText && key->text == "id") found.id = quoted_id(*value);
  }
  return found;
}

}  // namespace

Salvage salvage(Format format, std::string_view message) {
  if (format == Format::kJson) return salvage_text(message);
  BinarySkipper skipper(format, message);
  return salvage_binary(skipper);
}

}  // namespace tickwire
