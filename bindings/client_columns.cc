// What of many images programs ask for at once: one field of each, as numbers.
#include "bindings/client_stream.h"
#include "bindings/errors.h"
#include "client/number_text.h"
#include "model/json_key.h"
#include "model/topic_name.h"

namespace tickwire {

namespace py = pybind11;

namespace {

// If a key is repeated, the last one counts.
const JsonField* find_field(std::span<const JsonField> fields, std::string_view text, std::string_view key) {
  for (std::size_t i = fields.size(); i-- > 0;) {
    const JsonField& field = fields[i];
    const std::string_view own = field.key_in(text);
    if (field.key_escaped ? unescape_key(own) == key : own == key) return &field;
  }
  return nullptr;
}

// The fields of the image: the known ones, or else what a scan puts into `scratch`.
std::span<const JsonField> fields_of(const ClientTopic& topic, std::vector<JsonField>& scratch) {
  if (!topic.fields.listed().empty()) return topic.fields.listed();
  scratch.clear();
  if (!topic.image.empty()) static_cast<void>(scan_object(topic.image, scratch, kImageLimits));
  return scratch;
}

// Where some keys stand in objects of one layout. Most topics of a pattern have the same, so that comparing
// each key once is all that a further topic takes.
class Layout {
 public:
  explicit Layout(const std::vector<std::string>& wanted) : wanted_(wanted), places_(wanted.size()) {}

  // For each wanted key the field, or null.
  const std::vector<const JsonField*>& find(std::span<const JsonField> fields, std::string_view text) {
    if (!is_same(fields, text)) {
      keys_.clear();
      for (const JsonField& field : fields) keys_.emplace_back(field.key_in(text));
      for (std::size_t i = 0; i < wanted_.size(); ++i) {
        const JsonField* found = find_field(fields, text, wanted_[i]);
        places_[i] = found == nullptr ? kNowhere : static_cast<std::size_t>(found - fields.data());
      }
    }
    found_.clear();
    for (const std::size_t place : places_) found_.push_back(place == kNowhere ? nullptr : &fields[place]);
    return found_;
  }

 private:
  static constexpr std::size_t kNowhere = SIZE_MAX;

  [[nodiscard]] bool is_same(std::span<const JsonField> fields, std::string_view text) const {
    if (fields.empty() || fields.size() != keys_.size()) return false;
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (fields[i].key_in(text) != keys_[i]) return false;
    }
    return true;
  }

  const std::vector<std::string>& wanted_;
  std::vector<std::string> keys_;  // as they are spelled
  std::vector<std::size_t> places_;
  std::vector<const JsonField*> found_;
};

}  // namespace

std::optional<std::string> PyTopics::field(const std::string& name, std::string_view field) {
  const ClientTopic* topic = topics_.find(name);
  if (topic == nullptr) return std::nullopt;
  const JsonField* found = find_field(fields_of(*topic, fields_), topic->image, field);
  if (found == nullptr) return std::nullopt;
  return std::string(found->value_in(topic->image));
}

py::tuple PyTopics::columns(const std::vector<std::string>& fields, const std::string& pattern) {
  const Pattern wanted = unwrap(Pattern::parse(pattern));
  py::list names;
  py::list elsewhere;
  std::vector<std::vector<double>> columns(fields.size());
  for (std::vector<double>& column : columns) column.reserve(topics_.size());
  Layout layout(fields);
  topics_.each([&](const ClientTopic& topic) {
    if (topic.image_version == 0 || !wanted.matches(topic.name)) return;
    if (topic.image_elsewhere) elsewhere.append(py::int_(names.size()));
    names.append(py::handle(name_of(topic)));
    const auto& found = layout.find(fields_of(topic, fields_), topic.image);
    for (std::size_t i = 0; i < fields.size(); ++i) {
      columns[i].push_back(number_in(found[i] == nullptr ? "" : found[i]->value_in(topic.image)));
    }
  });
  py::list buffers;
  for (const std::vector<double>& column : columns) {
    buffers.append(
        py::bytearray(reinterpret_cast<const char*>(column.data()), column.size() * sizeof(double)));
  }
  return py::make_tuple(names, buffers, elsewhere);
}

std::size_t PyTopics::memory_bytes() const {
  std::size_t bytes = 0;
  topics_.each([&](const ClientTopic& topic) {
    bytes += sizeof(ClientTopic) + topic.image.memory_bytes() + topic.name.memory_bytes() +
             topic.fields.memory_bytes();
  });
  return bytes;
}

}  // namespace tickwire
