#include "bindings/publish_table.h"

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "bindings/column.h"
#include "bindings/errors.h"
#include "bindings/json_text.h"
#include "bridge/bridge.h"
#include "hub/hub.h"
#include "model/table.h"

namespace tickwire {

namespace py = pybind11;

namespace {

class Rows final : public Payloads {
 public:
  explicit Rows(Table& table) : table_(table) {}
  // The row that the next publish_rows() begins with.
  void begin_at(std::size_t first) { first_ = first; }
  Result<ImageView> at(std::size_t row) override { return table_.row(first_ + row); }

 private:
  Table& table_;
  std::size_t first_ = 0;
};

// Names in a tuple of str, which keeps them.
struct Topics {
  py::object owner;
  std::vector<std::string_view> names;
};

std::string topic_field(std::size_t row) {
  return "topics[" + std::to_string(row) + "]";
}

Result<Topics> read_topics(const py::iterable& topics) {
  if (PyUnicode_Check(topics.ptr()))
    return Error{ErrorCode::kBadData, "topics: must be a sequence of str, not a str", "topics"};
  Topics out{py::reinterpret_steal<py::object>(PySequence_Tuple(topics.ptr())), {}};
  if (!out.owner) throw py::error_already_set();
  const Py_ssize_t size = PyTuple_GET_SIZE(out.owner.ptr());
  out.names.reserve(static_cast<std::size_t>(size));
  for (Py_ssize_t row = 0; row < size; ++row) {
    PyObject* const name = PyTuple_GET_ITEM(out.owner.ptr(), row);
    const Result<std::string_view> text = utf8_of(name);
    if (!text) return about(topic_field(static_cast<std::size_t>(row)), text.error());
    out.names.push_back(*text);
  }
  return out;
}

Status read_columns(const py::object& from, std::size_t rows, Columns& columns) {
  const py::object dict = dict_of(from);
  if (!dict) {
    return Error{ErrorCode::kBadData,
                 "columns: must be a mapping, not " + std::string(Py_TYPE(from.ptr())->tp_name), "columns"};
  }
  // A copy: to_numpy() is Python code, which may change the original.
  for (const auto& [key, values] : py::reinterpret_steal<py::dict>(PyDict_Copy(dict.ptr()))) {
    if (!py::isinstance<py::str>(key)) {
      return Error{ErrorCode::kBadData,
                   "columns: a name must be a str, not " + py::repr(key).cast<std::string>(), "columns"};
    }
    const Result<std::string_view> name = utf8_of(key);
    if (!name) return about("columns", name.error());
    if (Status added = columns.add(std::string(*name), values, rows); !added) return added;
  }
  return ok_status();
}

// Without the GIL.
Status publish_rows(Engine& engine, const Topics& topics, const Columns& columns, NonFinite nan,
                    FeedId feed) {
  std::size_t done = 0;
  if (const Status valid = engine.bridge().check_topics(feed, topics.names, done); !valid)
    return about(topic_field(done), valid.error());
  Result<Table> table = Table::create(columns.columns(), topics.names.size(), nan);
  if (!table) return table.error();
  table->set_shape(engine.hub().shape_of(table->keys()));
  Rows rows(*table);
  Status first_fault = ok_status();
  // A row that its topic refuses (an image past its limit) loses no other.
  for (std::size_t first = 0; first < topics.names.size(); ++first) {
    rows.begin_at(first);
    const Status published =
        engine.publisher().publish_rows(std::span(topics.names).subspan(first), rows, feed, done);
    first += done;
    if (!published && first_fault) first_fault = about(topic_field(first), published.error());
  }
  return first_fault;
}

}  // namespace

std::size_t publish_table(Engine& engine, const py::iterable& topics, const py::object& columns,
                          std::string_view nan, FeedId feed) {
  const std::optional<NonFinite> non_finite = parse_non_finite(nan);
  if (!non_finite)
    throw_error(
        {ErrorCode::kBadData, "nan: \"" + std::string(nan) + "\" is not one of error and null", "nan"});
  const Topics names = unwrap(read_topics(topics));
  Columns held(*non_finite);
  unwrap(read_columns(columns, names.names.size(), held));
  std::optional<Status> published;
  {
    const py::gil_scoped_release released;
    published = publish_rows(engine, names, held, *non_finite, feed);
  }
  unwrap(*published);
  return names.names.size();
}

}  // namespace tickwire
