#include "model/image_fields.h"

#include <cassert>

#include "model/image_index.h"
#include "model/key_finder.h"

namespace tickwire {
namespace {

// An update of more than a quarter of the image's fields costs less without an index, which takes some 200 ns
// for a field that changes; without one it takes some 60 for each field of the image.
bool is_worth_an_index(std::size_t image_fields, const ImageView& update) {
  return image_fields > kSearchedFieldsMax && update.fields.size() * 4 <= image_fields;
}

}  // namespace

ImageFields::ImageFields() = default;
ImageFields::~ImageFields() = default;

void ImageFields::forget() {
  shape_ = kUnknown;
  fields_ = std::vector<JsonField>();
  index_.reset();
}

void ImageFields::replace(std::span<const JsonField> fields) {
  index_.reset();
  keep(fields, 0);
}

std::size_t ImageFields::merge(std::string_view image, const ImageView& update, std::string& out,
                               std::size_t bytes_max) {
  if (update.shape != 0 && update.shape == shape_) return update.text.size();
  if (index_ && !is_worth_an_index(index_->size(), update)) forget();
  if (!index_) {
    list(image);
    if (replaces_image({image, fields_}, update) || (fields_.empty() && is_image(update))) {
      if (update.text.size() > bytes_max) return update.text.size();
      keep(update.fields, update.shape);
      return update.text.size();
    }
    if (is_worth_an_index(fields_.size(), update)) index_ = ImageIndex::create({image, fields_});
    if (index_) fields_ = std::vector<JsonField>();
  }
  if (index_) return index_->merge(image, update, bytes_max, out);

  thread_local Image merged;
  merge_image({image, fields_}, update, merged);
  if (merged.text.size() > bytes_max) return merged.text.size();
  const bool same_text = merged.text == update.text;
  if (!same_text) out = merged.text;
  keep(merged.fields, same_text ? update.shape : 0);
  return merged.text.size();
}

void ImageFields::list(std::string_view image) {
  if (shape_ == 0) return;
  thread_local std::vector<JsonField> scanned;
  scanned.clear();
  const Status valid = image.empty() ? ok_status() : scan_object(image, scanned, kImageLimits);
  assert(valid && "an image is what was checked or merged");
  static_cast<void>(valid);
  keep(scanned, 0);
}

void ImageFields::keep(std::span<const JsonField> fields, ShapeId shape) {
  shape_ = shape;
  if (shape != 0) fields = {};
  if (fields_.capacity() > 2 * fields.size())
    fields_ = std::vector<JsonField>();  // memory that a larger image needed
  fields_.assign(fields.begin(), fields.end());
}

std::size_t ImageFields::memory_bytes() const {
  return fields_.capacity() * sizeof(JsonField) + (index_ ? index_->memory_bytes() : 0);
}

}  // namespace tickwire
