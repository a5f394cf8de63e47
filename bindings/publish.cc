#include "bindings/publish.h"

#include <optional>
#include <string>
#include <vector>

#include "bindings/errors.h"
#include "bindings/json_text.h"
#include "bridge/bridge.h"
#include "hub/hub.h"

namespace tickwire {

namespace py = pybind11;

namespace {

Result<UpdatePtr> publish_text(Engine& engine, std::string_view topic, std::string_view text, FeedId feed) {
  return feed == 0 ? engine.hub().publish(topic, text) : engine.bridge().publish(feed, topic, text);
}

// Texts of a batch in one string, so that a batch allocates nothing once warm.
class Batch {
 public:
  [[nodiscard]] bool full() const {
    return ends_.size() >= kPublishBatch || texts_.size() >= kBytesUnderGilMax;
  }

  // Adds (topic, data).
  Status add(py::handle pair) {
    if (!PyTuple_Check(pair.ptr()) && !PyList_Check(pair.ptr())) return not_a_pair(pair);
    const auto items = py::reinterpret_borrow<py::sequence>(pair);
    if (items.size() != 2) return not_a_pair(pair);
    const py::object topic = items[0];
    const py::object data = items[1];
    if (!py::isinstance<py::str>(topic)) return not_a_pair(pair);
    const Result<std::string_view> text = payload_text(data, scratch_);
    if (!text) return text.error();
    texts_ += py::cast<std::string_view>(topic);
    const std::size_t topic_end = texts_.size();
    texts_ += *text;
    ends_.push_back({topic_end, texts_.size()});
    return ok_status();
  }

  // Publishes what was added and empties the batch; `done` counts the successes.
  Status flush(Engine& engine, FeedId feed, std::size_t& done) {
    const py::gil_scoped_release released;
    const std::string_view texts = texts_;
    std::size_t start = 0;
    for (const auto& [topic_end, end] : ends_) {
      const auto published = publish_text(engine, texts.substr(start, topic_end - start),
                                          texts.substr(topic_end, end - topic_end), feed);
      if (!published) return published.error();
      start = end;
      ++done;
    }
    ends_.clear();
    texts_.clear();
    return ok_status();
  }

 private:
  struct Ends {
    std::size_t topic;
    std::size_t data;
  };
  static Error not_a_pair(py::handle pair) {
    return {ErrorCode::kBadData,
            "must be (topic, data), not " + py::repr(pair).cast<std::string>().substr(0, 80), ""};
  }

  std::string texts_;
  std::string scratch_;
  std::vector<Ends> ends_;
};

[[noreturn]] void throw_pair_error(const Error& error, std::size_t at) {
  const std::string field =
      "pairs[" + std::to_string(at) + "]" + (error.field.empty() ? "" : "." + error.field);
  throw_error({error.code, "pairs[" + std::to_string(at) + "]: " + error.message, field});
}

}  // namespace

std::uint64_t publish(Engine& engine, std::string_view topic, py::handle data, FeedId feed) {
  thread_local std::string scratch;
  const Result<std::string_view> text = payload_text(data, scratch);
  if (!text) throw_error(text.error());
  std::optional<py::gil_scoped_release> released;
  if (text->size() > kBytesUnderGilMax) released.emplace();
  const Result<UpdatePtr> update = publish_text(engine, topic, *text, feed);
  released.reset();
  if (!update) throw_error(update.error());
  return (*update)->seq();
}

std::size_t publish_many(Engine& engine, const py::iterable& pairs, FeedId feed) {
  Batch batch;
  std::size_t done = 0;
  std::size_t read = 0;
  const auto flush = [&] {
    if (const Status flushed = batch.flush(engine, feed, done); !flushed)
      throw_pair_error(flushed.error(), done);
  };
  for (const py::handle pair : pairs) {
    if (const Status added = batch.add(pair); !added) {
      flush();
      throw_pair_error(added.error(), read);
    }
    ++read;
    if (batch.full()) flush();
  }
  flush();
  return done;
}

}  // namespace tickwire
