// merge_image: RFC 7396 at the top level, on texts: fields of an update replace those of the image, `null`
// deletes. Fields keep their place and their bytes; white space between them is dropped. No state; any
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/json_object.h"

namespace tickwire {

// Names a list of keys, of an object without nulls: two objects of one shape replace each other. 0: unknown.
using ShapeId = std::uint32_t;

// An object's text and where its fields stand in it. An empty text is the image of a topic without updates.
struct ImageView {
  std::string_view text;
  std::span<const JsonField> fields;
  ShapeId shape = 0;
};

struct Image {
  std::string text;
  std::vector<JsonField> fields;
};

// Has fields, and no white space between them.
bool is_compact(ImageView object);

// Merged into an image without fields, the update's own text is the new image.
bool is_image(ImageView update);

// The update has the image's very fields in their order and deletes none: its own text is the new image.
bool replaces_image(ImageView image, ImageView update);

// `out` is overwritten and may not be one of the inputs. A key that `update` repeats counts with its last
// value.
void merge_image(ImageView image, ImageView update, Image& out);

}  // namespace tickwire
