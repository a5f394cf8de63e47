#include "model/key_finder.h"

#include <algorithm>

#include "model/json_key.h"
#include "model/keyed_hash.h"

namespace tickwire {

// Escapes are read once, not again at each comparison of a search.
KeyFinder::KeyFinder(const ImageView& view)
    : view_(view),
      is_indexed_(
          view.fields.size() > kSearchedFieldsMax ||
          std::ranges::any_of(view.fields, [](const JsonField& field) { return field.key_escaped; })) {
  if (!is_indexed_) return;
  index_ = SlotTable(view.fields.size());
  may_repeat_ = false;
  for (std::size_t i = view.fields.size(); i-- > 0;) {
    const JsonKey key(view.text, view.fields[i]);
    const std::uint64_t hash = keyed_hash(key.text());
    if (find_indexed(key.text(), hash) == SlotTable::kNone) {
      index_.insert(hash, static_cast<std::uint32_t>(i));
    } else {
      may_repeat_ = true;
    }
  }
}

std::uint32_t KeyFinder::find_indexed(std::string_view key, std::uint64_t hash) const {
  return index_.find(hash,
                     [&](std::uint32_t at) { return JsonKey(view_.text, view_.fields[at]).text() == key; });
}

std::size_t KeyFinder::find(std::string_view text, const JsonField& field) const {
  const JsonKey key(text, field);
  if (is_indexed_) {
    const std::uint32_t at = find_indexed(key.text(), keyed_hash(key.text()));
    return at == SlotTable::kNone ? kNone : at;
  }
  for (std::size_t i = view_.fields.size(); i-- > 0;) {
    if (view_.fields[i].key_in(view_.text) == key.text()) return i;
  }
  return kNone;
}

}  // namespace tickwire
