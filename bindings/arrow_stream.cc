#include "bindings/arrow_stream.h"

#include <pybind11/stl.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <memory>

#include "bindings/register.h"

extern "C" {
// The names and members are those of the specification.
struct ArrowSchema {
  const char* format;
  const char* name;
  const char* metadata;
  std::int64_t flags;
  std::int64_t n_children;
  ArrowSchema** children;
  ArrowSchema* dictionary;
  void (*release)(ArrowSchema*);
  void* private_data;
};
struct ArrowArray {
  std::int64_t length;
  std::int64_t null_count;
  std::int64_t offset;
  std::int64_t n_buffers;
  std::int64_t n_children;
  const void** buffers;
  ArrowArray** children;
  ArrowArray* dictionary;
  void (*release)(ArrowArray*);
  void* private_data;
};
struct ArrowArrayStream {
  int (*get_schema)(ArrowArrayStream*, ArrowSchema*);
  int (*get_next)(ArrowArrayStream*, ArrowArray*);
  const char* (*get_last_error)(ArrowArrayStream*);
  void (*release)(ArrowArrayStream*);
  void* private_data;
};
}

namespace tickwire {

namespace py = pybind11;

namespace {

constexpr std::int64_t kNullable = 2;  // ARROW_FLAG_NULLABLE

struct NumberColumn {
  std::string name;
  std::vector<double> values;
  std::vector<std::uint8_t> valid;  // a bit for each value
  std::int64_t nulls = 0;
};

struct ArrowBatch {
  std::vector<std::int64_t> offsets{0};
  std::string names;
  std::vector<NumberColumn> columns;
  [[nodiscard]] std::int64_t rows() const { return static_cast<std::int64_t>(offsets.size()) - 1; }
};
using ArrowBatchPtr = std::shared_ptr<const ArrowBatch>;

// What an array and its children keep alive, each on its own: a consumer may move a child out.
struct ArrayHold {
  ArrowBatchPtr batch;
  std::array<const void*, 3> buffers{};
  std::vector<ArrowArray> children;
  std::vector<ArrowArray*> pointers;
};
struct SchemaHold {
  std::string name;
  std::vector<ArrowSchema> children;
  std::vector<ArrowSchema*> pointers;
};
struct StreamHold {
  ArrowBatchPtr batch;
  bool given = false;
};

template <typename Exported, typename Hold>
void release(Exported* exported) {
  for (std::int64_t i = 0; i < exported->n_children; ++i) {
    Exported* child = exported->children[i];
    if (child->release != nullptr) child->release(child);
  }
  delete static_cast<Hold*>(exported->private_data);
  exported->release = nullptr;
}

void fill_schema(ArrowSchema& schema, const char* format, std::string name, std::int64_t flags) {
  auto hold = std::make_unique<SchemaHold>();
  hold->name = std::move(name);
  schema = {format, hold->name.c_str(), nullptr, flags, 0, nullptr, nullptr, release<ArrowSchema, SchemaHold>,
            nullptr};
  schema.private_data = hold.release();
}

void fill_array(ArrowArray& array, const ArrowBatchPtr& batch, const std::array<const void*, 3>& buffers,
                std::int64_t buffer_count, std::int64_t nulls) {
  auto hold = std::make_unique<ArrayHold>();
  hold->batch = batch;
  hold->buffers = buffers;
  array = {batch->rows(), nulls,   0,
           buffer_count,  0,       hold->buffers.data(),
           nullptr,       nullptr, release<ArrowArray, ArrayHold>,
           nullptr};
  array.private_data = hold.release();
}

template <typename Exported, typename Hold>
void take_children(Exported& parent, std::vector<Exported> children) {
  auto* hold = static_cast<Hold*>(parent.private_data);
  hold->children = std::move(children);
  for (Exported& child : hold->children) hold->pointers.push_back(&child);
  parent.n_children = static_cast<std::int64_t>(hold->children.size());
  parent.children = hold->pointers.data();
}

const StreamHold& hold_of(ArrowArrayStream* stream) {
  return *static_cast<StreamHold*>(stream->private_data);
}

int get_schema(ArrowArrayStream* stream, ArrowSchema* schema) {
  const ArrowBatch& batch = *hold_of(stream).batch;
  std::vector<ArrowSchema> children(batch.columns.size() + 1);
  fill_schema(children[0], "U", "topic", 0);
  for (std::size_t i = 0; i < batch.columns.size(); ++i) {
    fill_schema(children[i + 1], "g", batch.columns[i].name, kNullable);
  }
  fill_schema(*schema, "+s", "", 0);
  take_children<ArrowSchema, SchemaHold>(*schema, std::move(children));
  return 0;
}

int get_next(ArrowArrayStream* stream, ArrowArray* array) {
  auto& hold = *static_cast<StreamHold*>(stream->private_data);
  *array = {};
  if (hold.given) return 0;  // the end: an array that is released already
  hold.given = true;
  const ArrowBatch& batch = *hold.batch;
  std::vector<ArrowArray> children(batch.columns.size() + 1);
  fill_array(children[0], hold.batch, {nullptr, batch.offsets.data(), batch.names.data()}, 3, 0);
  for (std::size_t i = 0; i < batch.columns.size(); ++i) {
    const NumberColumn& column = batch.columns[i];
    const void* valid = column.nulls > 0 ? column.valid.data() : nullptr;
    fill_array(children[i + 1], hold.batch, {valid, column.values.data(), nullptr}, 2, column.nulls);
  }
  fill_array(*array, hold.batch, {}, 1, 0);
  take_children<ArrowArray, ArrayHold>(*array, std::move(children));
  return 0;
}

const char* get_last_error(ArrowArrayStream* /*stream*/) {
  return nullptr;
}

void release_stream(ArrowArrayStream* stream) {
  delete static_cast<StreamHold*>(stream->private_data);
  stream->release = nullptr;
}

NumberColumn column_of(const std::string& name, py::handle buffer) {
  NumberColumn column{.name = name, .values = {}, .valid = {}};
  column.values.resize(static_cast<std::size_t>(PyByteArray_Size(buffer.ptr())) / sizeof(double));
  if (!column.values.empty()) {
    std::memcpy(column.values.data(), PyByteArray_AsString(buffer.ptr()),
                column.values.size() * sizeof(double));
  }
  column.valid.resize((column.values.size() + 7) / 8);
  for (std::size_t i = 0; i < column.values.size(); ++i) {
    if (std::isnan(column.values[i])) {
      ++column.nulls;
    } else {
      column.valid[i / 8] = static_cast<std::uint8_t>(column.valid[i / 8] | 1U << (i % 8));
    }
  }
  return column;
}

void release_capsule(PyObject* capsule) {
  auto* stream = static_cast<ArrowArrayStream*>(PyCapsule_GetPointer(capsule, "arrow_array_stream"));
  if (stream->release != nullptr) stream->release(stream);
  delete stream;
}

}  // namespace

py::capsule arrow_stream(const std::vector<std::string>& names, const std::vector<std::string>& fields,
                         const py::list& buffers) {
  auto batch = std::make_shared<ArrowBatch>();
  for (const std::string& name : names) {
    batch->names += name;
    batch->offsets.push_back(static_cast<std::int64_t>(batch->names.size()));
  }
  for (std::size_t i = 0; i < fields.size(); ++i) batch->columns.push_back(column_of(fields[i], buffers[i]));
  auto stream = std::make_unique<ArrowArrayStream>();
  *stream = {get_schema, get_next, get_last_error, release_stream, new StreamHold{std::move(batch)}};
  return py::capsule(stream.release(), "arrow_array_stream", release_capsule);
}

void register_arrow_stream(py::module_& module) {
  module.def("arrow_stream", &arrow_stream, py::arg("names"), py::arg("fields"), py::arg("buffers"),
             "A PyCapsule of the Arrow C stream interface: the column topic, and float64 columns.");
}

}  // namespace tickwire
