#include "model/image_index.h"

#include <algorithm>

#include "model/json_key.h"
#include "model/key_finder.h"
#include "model/keyed_hash.h"

namespace tickwire {
namespace {

constexpr std::size_t kKeyFrame = std::string_view(R"("":)").size();
constexpr std::size_t kMemberFrame = kKeyFrame + 1;  // and the comma or brace after it

std::uint32_t member_size(std::size_t key_size, const JsonField& field) {
  return static_cast<std::uint32_t>(key_size + kMemberFrame + field.value_size);
}

// What stands between the quotes, of a key that begins `text`.
std::string_view key_at(std::string_view text) {
  std::size_t end = 0;
  while (text[end] != '"') end += text[end] == '\\' ? 2 : 1;
  return text.substr(0, end);
}

bool says(std::string_view raw, std::string_view key) {
  if (raw.find('\\') == std::string_view::npos) return raw == key;
  return unescape_key(raw) == key;
}

}  // namespace

std::unique_ptr<ImageIndex> ImageIndex::create(const ImageView& image) {
  if (!is_compact(image)) return nullptr;
  auto index = std::make_unique<ImageIndex>();
  index->slots_ = SlotTable(image.fields.size());
  std::vector<std::uint32_t> sizes;
  sizes.reserve(image.fields.size());
  for (const JsonField& field : image.fields) {
    const JsonKey key(image.text, field);
    const std::uint64_t hash = keyed_hash(key.text());
    const std::uint32_t known = index->slots_.find(hash, [&](std::uint32_t slot) {
      return JsonKey(image.text, image.fields[slot]).text() == key.text();
    });
    if (known != SlotTable::kNone) return nullptr;
    index->slots_.insert(hash, static_cast<std::uint32_t>(sizes.size()));
    sizes.push_back(member_size(field.key_size, field));
  }
  index->size_ = sizes.size();
  index->sizes_ = SizeTree(std::move(sizes));
  return index;
}

std::uint32_t ImageIndex::find(std::string_view image, std::string_view key, std::uint64_t hash) const {
  return slots_.find(
      hash, [&](std::uint32_t slot) { return says(key_at(image.substr(1 + sizes_.before(slot) + 1)), key); });
}

ImageIndex::Member ImageIndex::member_at(std::string_view image, std::uint32_t slot) const {
  Member member;
  member.start = 1 + sizes_.before(slot);
  member.size = sizes_.at(slot);
  member.key_size = static_cast<std::uint32_t>(key_at(image.substr(member.start + 1)).size());
  return member;
}

std::vector<ImageIndex::Change> ImageIndex::changes_of(std::string_view image,
                                                       const ImageView& update) const {
  const KeyFinder in_update(update);
  std::vector<Change> changes;
  changes.reserve(update.fields.size());
  for (std::size_t i = 0; i < update.fields.size(); ++i) {
    const JsonField& field = update.fields[i];
    if (!in_update.is_last(i)) continue;  // its last value counts
    const JsonKey key(update.text, field);
    Change change;
    change.field = &field;
    change.hash = keyed_hash(key.text());
    change.slot = find(image, key.text(), change.hash);
    change.deletes = field.is_null_in(update.text);
    if (change.slot != SlotTable::kNone) {
      change.member = member_at(image, change.slot);
    } else if (change.deletes) {
      continue;
    }
    changes.push_back(change);
  }
  std::sort(changes.begin(), changes.end(), [](const Change& a, const Change& b) {
    return a.slot != b.slot ? a.slot < b.slot : a.field < b.field;
  });
  return changes;
}

std::size_t ImageIndex::merge(std::string_view image, const ImageView& update, std::size_t bytes_max,
                              std::string& out) {
  const std::vector<Change> changes = changes_of(image, update);
  const std::size_t end = 1 + sizes_.before(sizes_.count());
  std::size_t bytes = end;
  for (const auto& [field, hash, slot, member, deletes] : changes) {
    bytes -= member.size;
    if (!deletes) bytes += member_size(slot == SlotTable::kNone ? field->key_size : member.key_size, *field);
  }
  bytes = std::max(bytes, std::string_view("{}").size());
  if (bytes > bytes_max) return bytes;

  out.clear();
  out.reserve(bytes);
  write(image.substr(0, end), update.text, changes, out);
  apply(changes);
  return bytes;
}

void ImageIndex::write(std::string_view image, std::string_view update, const std::vector<Change>& changes,
                       std::string& out) {
  std::size_t done = 1;  // of the image
  const auto copy_to = [&](std::size_t at) { out.append(image, done, at - done); };
  out += '{';
  auto change = changes.begin();
  for (; change != changes.end() && change->slot != SlotTable::kNone; ++change) {
    const auto& [start, size, key_size] = change->member;
    if (change->deletes) {
      copy_to(start);
      done = start + size;
    } else {
      copy_to(start + kKeyFrame + key_size);
      out += change->field->value_in(update);
      done = start + size - 1;
    }
  }
  copy_to(image.size());
  if (out.size() > 1) out.back() = ',';  // after the last member, which may have been another one
  for (; change != changes.end(); ++change) {
    const JsonField& field = *change->field;
    out.append("\"").append(field.key_in(update)).append("\":").append(field.value_in(update)).append(",");
  }
  if (out.size() > 1) out.pop_back();
  out += '}';
}

void ImageIndex::apply(const std::vector<Change>& changes) {
  for (const auto& [field, hash, slot, member, deletes] : changes) {
    if (slot == SlotTable::kNone) {
      slots_.insert(hash, static_cast<std::uint32_t>(sizes_.count()));
      sizes_.push_back(member_size(field->key_size, *field));
      ++size_;
    } else if (deletes) {
      slots_.erase(hash, slot);
      sizes_.set(slot, 0);
      --size_;
    } else {
      sizes_.set(slot, member_size(member.key_size, *field));
    }
  }
  drop_empty_slots();
}

void ImageIndex::drop_empty_slots() {
  constexpr std::size_t kSparesMax = 16;
  if (sizes_.count() <= 2 * size_ + kSparesMax) return;
  std::vector<std::uint32_t> sizes = sizes_.all();
  std::vector<std::uint32_t> numbers(sizes.size());
  std::uint32_t kept = 0;
  for (std::size_t slot = 0; slot < sizes.size(); ++slot) {
    numbers[slot] = kept;
    if (sizes[slot] != 0) sizes[kept++] = sizes[slot];
  }
  sizes.resize(kept);
  sizes.shrink_to_fit();
  slots_.renumber(numbers);
  sizes_ = SizeTree(std::move(sizes));
}

}  // namespace tickwire
