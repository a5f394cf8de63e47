// ImageIndex: where each member of a large image stands, by its key, kept right while the image changes. A
// merge then costs one copy of the image, and for each field of the update a look-up; the other fields are
// not looked at.
//
// Members are numbered in their order (slots). A table finds the slot of a key, a tree of the members' sizes
// tells where a slot begins, and how one member grows or goes touches as many nodes as the count has bits.
// A slot whose member is deleted stays, with size 0, until half of them are of that kind.
// Memory: 15 to 26 bytes a field, at most 38 after many inserts and deletions; a list of fields takes 20.
//
// One thread at a time. It belongs to one text, which its caller keeps, and which is written as merge_image
// writes: no white space, no key twice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "model/image.h"
#include "model/size_tree.h"
#include "model/slot_table.h"

namespace tickwire {

class ImageIndex {
 public:
  // Null when the image is not written as merge_image writes.
  static std::unique_ptr<ImageIndex> create(const ImageView& image);

  // What merge_image makes of `image`, which is its text, and `update`; returns its size. Then it belongs to
  // `out`, which is overwritten. When the size would pass `bytes_max`, nothing changes.
  std::size_t merge(std::string_view image, const ImageView& update, std::size_t bytes_max, std::string& out);

  // Fields of the image.
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t memory_bytes() const {
    return sizeof(*this) + slots_.memory_bytes() + sizes_.memory_bytes();
  }

 private:
  // A member of the image: "key":value and what separates it from the next.
  struct Member {
    std::uint32_t start = 0;
    std::uint32_t size = 0;
    std::uint32_t key_size = 0;
  };
  // What one field of an update does.
  struct Change {
    const JsonField* field = nullptr;
    std::uint64_t hash = 0;
    std::uint32_t slot = SlotTable::kNone;  // kNone: the key is new
    Member member;                          // of the slot
    bool deletes = false;
  };

  [[nodiscard]] std::uint32_t find(std::string_view image, std::string_view key, std::uint64_t hash) const;
  [[nodiscard]] Member member_at(std::string_view image, std::uint32_t slot) const;
  // Changes of known keys come first, in the order of the image; new keys follow in the order of the update.
  [[nodiscard]] std::vector<Change> changes_of(std::string_view image, const ImageView& update) const;
  static void write(std::string_view image, std::string_view update, const std::vector<Change>& changes,
                    std::string& out);
  void apply(const std::vector<Change>& changes);
  void drop_empty_slots();

  SlotTable slots_;
  SizeTree sizes_;
  std::size_t size_ = 0;
};

}  // namespace tickwire
