#include "model/image.h"

#include <cstdint>
#include <string>
#include <unordered_map>

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
  return static_cast<unsigned>(std::stoul(std::string(key.substr(at, 4)), nullptr, 16));
}

// A valid JSON string without its escapes.
std::string unescape(std::string_view key) {
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

bool same_key(std::string_view a_text, const JsonField& a, std::string_view b_text, const JsonField& b) {
  const std::string_view a_key = a.key_in(a_text);
  const std::string_view b_key = b.key_in(b_text);
  if (!a.key_escaped && !b.key_escaped) return a_key == b_key;
  return unescape(a_key) == unescape(b_key);
}

constexpr std::size_t kNone = SIZE_MAX;

// Where a key stands in an object; a repeated key where it stands last. Few fields are searched, many
// indexed.
class KeyFinder {
 public:
  explicit KeyFinder(const ImageView& view) : view_(view) {
    constexpr std::size_t kSearchMax = 16;
    if (view.fields.size() <= kSearchMax) return;
    for (std::size_t i = 0; i < view.fields.size(); ++i) index_[key_of(view.text, view.fields[i])] = i;
  }

  [[nodiscard]] std::size_t find(std::string_view text, const JsonField& field) const {
    if (!index_.empty()) {
      const auto found = index_.find(key_of(text, field));
      return found == index_.end() ? kNone : found->second;
    }
    for (std::size_t i = view_.fields.size(); i-- > 0;) {
      if (same_key(view_.text, view_.fields[i], text, field)) return i;
    }
    return kNone;
  }

 private:
  static std::string key_of(std::string_view text, const JsonField& field) {
    return field.key_escaped ? unescape(field.key_in(text)) : std::string(field.key_in(text));
  }

  const ImageView& view_;
  std::unordered_map<std::string, std::size_t> index_;
};

bool is_null(std::string_view text, const JsonField& field) {
  return field.value_in(text) == "null";
}

void append_field(Image& out, std::string_view key_text, const JsonField& key, std::string_view value_text,
                  const JsonField& value) {
  out.text += out.text.empty() ? "{\"" : ",\"";
  JsonField field;
  field.key = static_cast<std::uint32_t>(out.text.size());
  field.key_size = key.key_size;
  field.key_escaped = key.key_escaped;
  out.text.append(key.key_in(key_text)).append("\":");
  field.value = static_cast<std::uint32_t>(out.text.size());
  field.value_size = value.value_size;
  out.text.append(value.value_in(value_text));
  out.fields.push_back(field);
}

}  // namespace

bool replaces_image(ImageView image, ImageView update) {
  if (image.fields.size() != update.fields.size() || image.fields.empty()) return false;
  for (std::size_t i = 0; i < image.fields.size(); ++i) {
    if (image.fields[i].key_in(image.text) != update.fields[i].key_in(update.text)) return false;
    if (is_null(update.text, update.fields[i])) return false;
  }
  return true;
}

void merge_image(ImageView image, ImageView update, Image& out) {
  out.text.clear();
  out.fields.clear();
  const KeyFinder in_image(image);
  const KeyFinder in_update(update);
  for (const JsonField& field : image.fields) {
    const std::size_t at = in_update.find(image.text, field);
    if (at == kNone) {
      append_field(out, image.text, field, image.text, field);
    } else if (!is_null(update.text, update.fields[at])) {
      append_field(out, image.text, field, update.text, update.fields[at]);
    }
  }
  for (std::size_t i = 0; i < update.fields.size(); ++i) {
    const JsonField& field = update.fields[i];
    if (is_null(update.text, field) || in_update.find(update.text, field) != i) continue;
    if (in_image.find(update.text, field) == kNone) append_field(out, update.text, field, update.text, field);
  }
  if (out.text.empty()) out.text = "{";
  out.text += '}';
}

}  // namespace tickwire
