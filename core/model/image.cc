#include "model/image.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "model/key_finder.h"

namespace tickwire {
namespace {

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

bool is_compact(ImageView object) {
  constexpr std::size_t kBetween = 2;  // ": and ,"
  std::size_t at = 0;
  for (const JsonField& field : object.fields) {
    if (field.key != at + kBetween || field.value != field.key + field.key_size + kBetween) return false;
    at = field.value + field.value_size;
  }
  return !object.fields.empty() && at + 1 == object.text.size();
}

bool is_image(ImageView update) {
  const auto is_null = [&](const JsonField& field) { return field.is_null_in(update.text); };
  if (!is_compact(update) || std::ranges::any_of(update.fields, is_null)) return false;
  const KeyFinder keys(update);
  for (std::size_t i = 0; i < update.fields.size(); ++i) {
    if (!keys.is_last(i)) return false;
  }
  return true;
}

bool replaces_image(ImageView image, ImageView update) {
  if (image.fields.size() != update.fields.size() || image.fields.empty()) return false;
  for (std::size_t i = 0; i < image.fields.size(); ++i) {
    if (image.fields[i].key_in(image.text) != update.fields[i].key_in(update.text)) return false;
    if (update.fields[i].is_null_in(update.text)) return false;
  }
  return true;
}

void merge_image(ImageView image, ImageView update, Image& out) {
  out.text.clear();
  out.fields.clear();
  const KeyFinder in_update(update);
  std::vector<bool> in_image(update.fields.size());
  for (const JsonField& field : image.fields) {
    const std::size_t at = in_update.find(image.text, field);
    if (at == KeyFinder::kNone) {
      append_field(out, image.text, field, image.text, field);
      continue;
    }
    in_image[at] = true;
    if (!update.fields[at].is_null_in(update.text))
      append_field(out, image.text, field, update.text, update.fields[at]);
  }
  for (std::size_t i = 0; i < update.fields.size(); ++i) {
    const JsonField& field = update.fields[i];
    if (in_image[i] || field.is_null_in(update.text) || !in_update.is_last(i)) continue;
    append_field(out, update.text, field, update.text, field);
  }
  if (out.text.empty()) out.text += '{';
  out.text += '}';
}

}  // namespace tickwire
