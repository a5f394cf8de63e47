#include "model/printable.h"

#include <cstddef>

#include "model/utf8.h"

namespace tickwire {
namespace {

// Whether a valid sequence is a character that a terminal does not simply show.
bool is_hidden(std::string_view sequence) {
  if (sequence.size() == 1) return static_cast<unsigned char>(sequence[0]) < 0x20 || sequence[0] == 0x7F;
  if (sequence.size() == 2)
    return sequence[0] == '\xC2' && static_cast<unsigned char>(sequence[1]) < 0xA0;  // C1
  if (!sequence.starts_with("\xE2")) return false;
  const auto second = static_cast<unsigned char>(sequence[1]);
  const auto third = static_cast<unsigned char>(sequence[2]);
  // U+200E, U+200F, U+2028 to U+202E; U+2066 to U+2069.
  return second == 0x80 ? third == 0x8E || third == 0x8F || (third >= 0xA8 && third <= 0xAE)
                        : second == 0x81 && third >= 0xA6 && third <= 0xA9;
}

void append_escaped(std::string& out, char byte) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  if (byte == '\n') {
    out += "\\n";
  } else if (byte == '\r') {
    out += "\\r";
  } else if (byte == '\t') {
    out += "\\t";
  } else {
    const auto value = static_cast<unsigned char>(byte);
    out += "\\x";
    out += kDigits[value >> 4U];
    out += kDigits[value & 0x0FU];
  }
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = utf8_sequence(text, at);
    const std::string_view sequence = text.substr(at, size == 0 ? 1 : size);
    if (size == 0 || is_hidden(sequence)) {
      for (const char byte : sequence) append_escaped(out, byte);
    } else {
      out += sequence;
    }
    at += sequence.size();
  }
  return out;
}

}  // namespace tickwire
