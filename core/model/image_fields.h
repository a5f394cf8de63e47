// ImageFields: what is known of where the fields of a topic's image stand, so that merging an update costs
// what the update has. It is one of: nothing, their shape, a list of them, or, of many fields, an index.
// Which one it is follows from the updates before; what a merge makes does not.
//
// The topic's lock protects it. It belongs to the image's text, which its caller keeps and hands in.
#pragma once

#include <cstddef>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/image.h"

namespace tickwire {

class ImageIndex;

class ImageFields {
 public:
  // The fields of the image of a topic without updates: none.
  ImageFields();
  ~ImageFields();
  ImageFields(const ImageFields&) = delete;
  ImageFields& operator=(const ImageFields&) = delete;

  // The image became a text of which nothing is known yet.
  void forget();
  // The image became a text with these fields.
  void replace(std::span<const JsonField> fields);
  // The fields of the image, where they are listed one by one; else nothing.
  [[nodiscard]] std::span<const JsonField> listed() const { return fields_; }
  // Merges `update` into `image`, whose fields these are; from then on they are those of the new image.
  // `out` becomes its text, or stays empty when that is the very text of the update. Returns its size; past
  // `bytes_max` nothing changes.
  std::size_t merge(std::string_view image, const ImageView& update, std::string& out,
                    std::size_t bytes_max = kImageBytesMax);

  // Merges cost what the update has.
  [[nodiscard]] bool indexed() const { return index_ != nullptr; }
  // Beyond its own size.
  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  static constexpr ShapeId kUnknown = std::numeric_limits<ShapeId>::max();

  // From here on the fields are in fields_ and shape_ is 0.
  void list(std::string_view image);
  void keep(std::span<const JsonField> fields, ShapeId shape);

  ShapeId shape_ = 0;
  std::vector<JsonField> fields_;      // while shape_ is 0 and there is no index
  std::unique_ptr<ImageIndex> index_;  // null, or shape_ is 0
};

}  // namespace tickwire
