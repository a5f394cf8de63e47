#include "access/unique_json.h"

#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "model/json_object.h"
#include "model/keyed_hash.h"

namespace tickwire {

Result<nlohmann::json> parse_unique_json(std::string_view text, std::size_t bytes_max) {
  using nlohmann::json;
  if (text.size() > bytes_max) {
    return Error{
        ErrorCode::kBadMessage,
        std::to_string(text.size()) + " bytes, at most " + std::to_string(bytes_max) + " are allowed", ""};
  }
  // The scanner bounds size and depth before the tree is built, because nlohmann's destructor and copy
  // recurse.
  std::vector<JsonField> fields;
  const JsonLimits limits{.bytes_max = bytes_max, .elements_max = kAccessJsonElementsMax};
  if (!scan_object(text, fields, limits)) {
    return Error{ErrorCode::kBadMessage, "is not a JSON object within its limits", ""};
  }
  std::vector<std::unordered_set<std::string, KeyedHash>> names;  // of the objects that are open
  bool twice = false;
  const auto look = [&](int /*depth*/, json::parse_event_t event, json& parsed) {
    if (event == json::parse_event_t::object_start) names.emplace_back();
    if (event == json::parse_event_t::object_end) names.pop_back();
    if (event == json::parse_event_t::key) {
      twice |= !names.back().insert(parsed.get<std::string>()).second;
    }
    return true;
  };
  json tree = json::parse(text, look, false);
  if (twice) return Error{ErrorCode::kBadMessage, "names a member twice", ""};
  if (!tree.is_object()) return Error{ErrorCode::kBadMessage, "is not a JSON object", ""};
  return tree;
}

}  // namespace tickwire
