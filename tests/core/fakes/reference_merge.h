// What an image becomes, written as simply as it can be said, for tests of what the hub makes quickly.
#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "model/json_object.h"

namespace tickwire {

struct ReferenceField {
  std::string spelling;  // of the key, as it stands between its quotes
  std::string key;       // what it says
  std::string value;
};

inline std::vector<ReferenceField> reference_fields(const std::string& text) {
  std::vector<ReferenceField> out;
  if (text.empty()) return out;
  std::vector<JsonField> fields;
  EXPECT_TRUE(scan_object(text, fields, kImageLimits)) << text;
  for (const JsonField& field : fields) {
    const std::string spelling(field.key_in(text));
    out.push_back({spelling, nlohmann::json::parse('"' + spelling + '"').get<std::string>(),
                   std::string(field.value_in(text))});
  }
  return out;
}

// The last one with that key, or null.
inline const ReferenceField* reference_find(const std::vector<ReferenceField>& fields,
                                            const std::string& key) {
  const ReferenceField* found = nullptr;
  for (const ReferenceField& field : fields) {
    if (field.key == key) found = &field;
  }
  return found;
}

inline bool reference_replaces(const std::vector<ReferenceField>& image,
                               const std::vector<ReferenceField>& update) {
  if (image.empty() || image.size() != update.size()) return false;
  for (std::size_t i = 0; i < image.size(); ++i) {
    if (image[i].spelling != update[i].spelling || update[i].value == "null") return false;
  }
  return true;
}

// Merges as a value topic does: RFC 7396 at the top level. An update with exactly the image's fields replaces
// it.
inline std::string reference_merge(const std::string& image_text, const std::string& update_text) {
  const std::vector<ReferenceField> image = reference_fields(image_text);
  const std::vector<ReferenceField> update = reference_fields(update_text);
  if (reference_replaces(image, update)) return update_text;
  std::string out;
  const auto add = [&](const std::string& spelling, const std::string& value) {
    out += (out.empty() ? "\"" : ",\"") + spelling + "\":" + value;
  };
  for (const ReferenceField& field : image) {
    const ReferenceField* const changed = reference_find(update, field.key);
    if (changed == nullptr) {
      add(field.spelling, field.value);
    } else if (changed->value != "null") {
      add(field.spelling, changed->value);
    }
  }
  for (const ReferenceField& field : update) {
    const bool is_last = reference_find(update, field.key) == &field;
    if (is_last && field.value != "null" && reference_find(image, field.key) == nullptr)
      add(field.spelling, field.value);
  }
  return "{" + out + "}";
}

}  // namespace tickwire
