#include "model/json_key.h"

#include <charconv>

namespace tickwire {
namespace {

void append_utf8(std::string& out, unsigned code) {
  const auto put = [&](unsigned byte) { out += static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | (code >> 6U)), put(0x80 | (code & 0x3FU));
  } else if (code < 0x10000) {
    put(0xE0 | (code >> 12U)), put(0x80 | ((code >> 6U) & 0x3FU)), put(0x80 | (code & 0x3FU));
  } else {
    put(0xF0 | (code >> 18U)), put(0x80 | ((code >> 12U) & 0x3FU));
    put(0x80 | ((code >> 6U) & 0x3FU)), put(0x80 | (code & 0x3FU));
  }
}

unsigned unit_at(std::string_view key, std::size_t at) {
  unsigned unit = 0;
  std::from_chars(key.data() + at, key.data() + at + 4, unit, 16);
  return unit;
}

}  // namespace

std::string unescape_key(std::string_view key) {
  constexpr std::string_view kNames = "\"\\/bfnrt";
  constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
  std::string out;
  for (std::size_t i = 0; i < key.size(); ++i) {
    if (key[i] != '\\') {
      out += key[i];
    } else if (key[++i] != 'u') {
      out += kMeanings[kNames.find(key[i])];
    } else {
      unsigned code = unit_at(key, i + 1);
      i += 4;
      if (code >= 0xD800 && code <= 0xDBFF) {
        code = 0x10000 + ((code - 0xD800) << 10U) + (unit_at(key, i + 3) - 0xDC00);
        i += 6;
      }
      append_utf8(out, code);
    }
  }
  return out;
}

}  // namespace tickwire
