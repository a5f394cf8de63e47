// Updates merged into an image, beside a merge that is written as simply as it can be said.
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "fuzz.h"
#include "model/image_fields.h"
#include "model/json_object.h"

using tickwire::fuzz::require;

namespace {

// RFC 7396 at the top level.
void merge_simply(nlohmann::json& image, const nlohmann::json& update) {
  for (const auto& [key, value] : update.items()) {
    if (value.is_null()) {
      image.erase(key);
    } else {
      image[key] = value;
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tickwire;
  fuzz::Input input(data, size);
  ImageFields fields;
  std::string image;
  nlohmann::json simple = nlohmann::json::object();
  std::vector<JsonField> scanned;
  while (!input.empty()) {
    const std::string update(input.until('\n'));
    const bool valid = scan_object(update, scanned).ok();
    if (!valid) continue;
    require(nlohmann::json::accept(update), "what is taken is JSON");
    std::string out;
    const std::size_t bytes = fields.merge(image, {update, scanned}, out);
    if (bytes > kImageBytesMax) continue;
    image = out.empty() ? update : out;
    require(image.size() == bytes, "the size is that of the image");
    const nlohmann::json now = nlohmann::json::parse(image, nullptr, false);
    require(now.is_object(), "an image is an object");
    merge_simply(simple, nlohmann::json::parse(update));
    require(now == simple, "an image is all updates merged");
  }
  return 0;
}
