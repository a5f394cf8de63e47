#include "bindings/publish.h"

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "bindings/errors.h"
#include "bindings/json_text.h"
#include "bridge/bridge.h"
#include "hub/hub.h"

namespace tickwire {

namespace py = pybind11;

namespace {

Publisher::Outcome publish_one(Engine& engine, std::string_view topic, const Payload& data, FeedId feed) {
  if (!data.fields) return engine.bridge().publish(feed, topic, data.text);
  return engine.bridge().publish(feed, topic, ImageView{data.text, *data.fields});
}

// The faulty pairs of a publish_many: the first is told, the others are counted.
class PairFaults {
 public:
  void add(std::size_t pair, Error error) {
    ++count_;
    if (first_ && pair_ <= pair) return;
    pair_ = pair;
    first_ = std::move(error);
  }
  [[nodiscard]] std::size_t count() const { return count_; }
  // Throws when there is any; `pairs`: how many there were in all.
  void raise(std::size_t pairs) const {
    if (!first_) return;
    const std::string place = "pairs[" + std::to_string(pair_) + "]";
    const std::string others = " (the other " + std::to_string(pairs - count_) + " pairs are published";
    const std::string more = count_ == 1 ? ")" : "; " + std::to_string(count_ - 1) + " more are faulty)";
    throw_error({first_->code, place + ": " + first_->message + others + more,
                 first_->field.empty() ? place : place + "." + first_->field});
  }

 private:
  std::optional<Error> first_;
  std::size_t pair_ = 0;
  std::size_t count_ = 0;
};

// Texts and fields of a batch in one place each, so that a batch allocates nothing once warm.
class Batch final : public Payloads {
 public:
  [[nodiscard]] bool full() const {
    return rows_.size() >= kPublishBatch || texts_.size() >= kBytesUnderGilMax;
  }

  // Adds (topic, data), which is the pair number `number`.
  Status add(py::handle pair, std::size_t number) {
    if (!PyTuple_Check(pair.ptr()) && !PyList_Check(pair.ptr())) return not_a_pair(pair);
    if (PySequence_Fast_GET_SIZE(pair.ptr()) != 2) return not_a_pair(pair);
    // Held: writing the data may run Python code, which may change the pair.
    const auto topic = py::reinterpret_borrow<py::object>(PySequence_Fast_GET_ITEM(pair.ptr(), 0));
    const auto data = py::reinterpret_borrow<py::object>(PySequence_Fast_GET_ITEM(pair.ptr(), 1));
    if (!py::isinstance<py::str>(topic)) return not_a_pair(pair);
    const Result<Payload> payload = payload_of(data, scratch_);
    if (!payload) return payload.error();
    texts_ += py::cast<std::string_view>(topic);
    Row row{.pair = number, .topic_end = texts_.size(), .checked = payload->fields.has_value()};
    texts_ += payload->text;
    row.data_end = texts_.size();
    if (row.checked) fields_.insert(fields_.end(), payload->fields->begin(), payload->fields->end());
    row.fields_end = fields_.size();
    rows_.push_back(row);
    return ok_status();
  }

  // Publishes what was added, whatever is wrong with some of it, and empties the batch.
  void flush(Engine& engine, FeedId feed, PairFaults& faults) {
    const py::gil_scoped_release released;
    topics_.clear();
    for (std::size_t i = 0; i < rows_.size(); ++i) topics_.push_back(between(start(i), rows_[i].topic_end));
    for (first_ = 0; first_ < rows_.size();) {
      std::size_t published = 0;
      const Status status =
          engine.bridge().publish_rows(feed, std::span(topics_).subspan(first_), *this, published);
      first_ += published;
      if (!status) faults.add(rows_[first_++].pair, status.error());
    }
    rows_.clear();
    texts_.clear();
    fields_.clear();
  }

  Result<ImageView> at(std::size_t index) override {
    const std::size_t row = first_ + index;
    const auto& [pair, topic_end, data_end, fields_end, checked] = rows_[row];
    const std::string_view text = between(topic_end, data_end);
    if (checked) {
      const std::size_t first = row == 0 ? 0 : rows_[row - 1].fields_end;
      return ImageView{text, std::span(fields_).subspan(first, fields_end - first)};
    }
    if (const Status scanned = scan_object(text, scanned_); !scanned) return scanned.error();
    return ImageView{text, scanned_};
  }

 private:
  struct Row {
    std::size_t pair = 0;        // which of all pairs it is
    std::size_t topic_end = 0;   // in texts_
    std::size_t data_end = 0;    // in texts_
    std::size_t fields_end = 0;  // in fields_
    bool checked = false;        // its fields are known
  };
  static Error not_a_pair(py::handle pair) {
    const auto shown = py::reinterpret_steal<py::object>(PyObject_ASCII(pair.ptr()));
    if (!shown && PyErr_ExceptionMatches(PyExc_KeyboardInterrupt) != 0) throw py::error_already_set();
    const std::string text = shown ? shown.cast<std::string>() : take_python_error();
    return {ErrorCode::kBadData, "must be (topic, data), not " + text.substr(0, 80), ""};
  }
  [[nodiscard]] std::size_t start(std::size_t row) const { return row == 0 ? 0 : rows_[row - 1].data_end; }
  [[nodiscard]] std::string_view between(std::size_t from, std::size_t to) const {
    return std::string_view(texts_).substr(from, to - from);
  }

  std::string texts_;
  std::vector<JsonField> fields_;
  std::vector<Row> rows_;
  std::vector<std::string_view> topics_;  // of rows_, while it is published
  std::size_t first_ = 0;                 // row that publish_rows() begins with
  std::vector<JsonField> scanned_;
  PayloadScratch scratch_;
};

}  // namespace

std::uint64_t publish(Engine& engine, std::string_view topic, py::handle data, FeedId feed) {
  thread_local PayloadScratch spare;
  PayloadScratch scratch = std::exchange(spare, {});  // Python code that writing runs may publish, too
  const Result<Payload> payload = payload_of(data, scratch);
  if (!payload) throw_error(payload.error());
  std::optional<py::gil_scoped_release> released;
  if (payload->text.size() > kBytesUnderGilMax) released.emplace();
  const Publisher::Outcome seq = publish_one(engine, topic, *payload, feed);
  released.reset();
  spare = std::move(scratch);
  if (!seq) throw_error(seq.error());
  return *seq;
}

std::size_t publish_many(Engine& engine, const py::iterable& pairs, FeedId feed) {
  Batch batch;
  PairFaults faults;
  std::size_t read = 0;
  try {
    for (const py::handle pair : pairs) {
      if (const Status added = batch.add(pair, read); !added) faults.add(read, added.error());
      ++read;
      if (batch.full()) batch.flush(engine, feed, faults);
    }
  } catch (py::error_already_set&) {  // of the iterable, or an interrupt
    batch.flush(engine, feed, faults);
    throw;
  }
  batch.flush(engine, feed, faults);
  faults.raise(read);
  return read;
}

}  // namespace tickwire
