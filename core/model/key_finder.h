// KeyFinder: where a key stands in an object; a repeated key where it stands last. Few fields are searched,
// many indexed.
//
// One thread at a time; the object must outlive it.
#pragma once

#include <cstddef>
#include <string_view>

#include "model/image.h"
#include "model/slot_table.h"

namespace tickwire {

// An object with at most so many fields, none of them with escapes in its key, is searched.
inline constexpr std::size_t kSearchedFieldsMax = 16;

class KeyFinder {
 public:
  static constexpr std::size_t kNone = SIZE_MAX;

  explicit KeyFinder(const ImageView& view);

  // The number of the field with the key of `field`, which is one of `text`; or kNone.
  [[nodiscard]] std::size_t find(std::string_view text, const JsonField& field) const;
  // The object does not repeat the key of its field number `at` after it.
  [[nodiscard]] bool is_last(std::size_t at) const {
    return !may_repeat_ || find(view_.text, view_.fields[at]) == at;
  }

 private:
  [[nodiscard]] std::uint32_t find_indexed(std::string_view key, std::uint64_t hash) const;

  const ImageView& view_;
  bool is_indexed_ = false;
  bool may_repeat_ = true;
  SlotTable index_;
};

}  // namespace tickwire
