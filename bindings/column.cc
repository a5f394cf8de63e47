#include "bindings/column.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <optional>

#include "bindings/json_text.h"

namespace tickwire {

namespace py = pybind11;

namespace {

constexpr std::string_view kAllowed =
    "a one-dimensional buffer of numbers or bools (a NumPy array), an object whose to_numpy() gives one, or "
    "a list or tuple of values";

Error bad(const std::string& field, const std::string& why) {
  return {ErrorCode::kBadData, field + ": " + why, field};
}

Error wrong_length(const std::string& field, std::size_t values, std::size_t topics) {
  return bad(field, std::to_string(values) + " values for " + std::to_string(topics) + " topics");
}

std::optional<ColumnType> integer_type(bool is_signed, Py_ssize_t bytes) {
  switch (bytes) {
    case 1:
      return is_signed ? ColumnType::kInt8 : ColumnType::kUint8;
    case 2:
      return is_signed ? ColumnType::kInt16 : ColumnType::kUint16;
    case 4:
      return is_signed ? ColumnType::kInt32 : ColumnType::kUint32;
    case 8:
      return is_signed ? ColumnType::kInt64 : ColumnType::kUint64;
    default:
      return std::nullopt;
  }
}

// What a buffer's format (of Python's struct module) stands for; nothing when it is no column.
std::optional<ColumnType> type_of(std::string_view format, Py_ssize_t item_bytes) {
  constexpr std::string_view kNative = std::endian::native == std::endian::little ? "@=<" : "@=>!";
  if (format.size() == 2 && (kNative.find(format[0]) != std::string_view::npos || item_bytes == 1))
    format.remove_prefix(1);
  if (format == "d" && item_bytes == sizeof(double)) return ColumnType::kFloat64;
  if (format == "f" && item_bytes == sizeof(float)) return ColumnType::kFloat32;
  if (format == "?" && item_bytes == 1) return ColumnType::kBool;
  if (format.size() != 1) return std::nullopt;
  if (std::string_view("bhilqn").find(format[0]) != std::string_view::npos)
    return integer_type(true, item_bytes);
  if (std::string_view("BHILQN").find(format[0]) != std::string_view::npos)
    return integer_type(false, item_bytes);
  return std::nullopt;
}

// NumPy's formats of Python objects, texts, half and long doubles, whose values are read one by one.
bool is_read_one_by_one(std::string_view format) {
  return !format.empty() && std::string_view("Oweg").find(format.back()) != std::string_view::npos;
}

std::string item_of(const std::string& field, std::size_t row) {
  return field + "[" + std::to_string(row) + "]";
}

// NaN, an infinity, a masked value.
bool is_lacking(py::handle value) {
  if (PyFloat_Check(value.ptr()) != 0) return !std::isfinite(PyFloat_AS_DOUBLE(value.ptr()));
  if (PyUnicode_Check(value.ptr()) != 0 || PyNumber_Check(value.ptr()) == 0) return false;
  if (is_masked(value)) return true;
  const double number = PyFloat_AsDouble(value.ptr());
  if (PyErr_Occurred() != nullptr) PyErr_Clear();
  return std::isnan(number);
}

Status read_str(const std::string& field, const py::tuple& values, std::vector<std::string_view>& out) {
  out.reserve(values.size());
  for (const py::handle value : values) {
    const Result<std::string_view> text = utf8_of(value);
    if (!text) return about(item_of(field, out.size()), text.error());
    out.push_back(*text);
  }
  return ok_status();
}

}  // namespace

Result<std::string_view> utf8_of(py::handle text) {
  if (PyUnicode_Check(text.ptr()) == 0) {
    return Error{ErrorCode::kBadData, "must be a str, not " + std::string(Py_TYPE(text.ptr())->tp_name), ""};
  }
  Py_ssize_t size = 0;
  const char* utf8 = PyUnicode_AsUTF8AndSize(text.ptr(), &size);
  if (utf8 == nullptr) return Error{ErrorCode::kBadData, "not valid Unicode: " + take_python_error(), ""};
  return std::string_view(utf8, static_cast<std::size_t>(size));
}

Error about(const std::string& field, const Error& error) {
  return {error.code, field + ": " + error.message, field};
}

Columns::~Columns() {
  for (Py_buffer& buffer : buffers_) PyBuffer_Release(&buffer);
}

Status Columns::add(std::string name, py::handle values, std::size_t rows) {
  const Source source{"columns." + name, std::move(name), rows};
  if (PyList_Check(values.ptr()) || PyTuple_Check(values.ptr())) return add_values(source, values);
  // Its buffer holds what is behind the mask, too.
  if (is_masked(values)) return add_values(source, values);
  if (PyObject_CheckBuffer(values.ptr()) != 0) return add_buffer(source, values);
  if (!py::hasattr(values, "to_numpy"))
    return bad(source.field, "must be " + std::string(kAllowed) + ", not " + Py_TYPE(values.ptr())->tp_name);
  const auto array =
      py::reinterpret_steal<py::object>(PyObject_CallMethod(values.ptr(), "to_numpy", nullptr));
  if (!array) return bad(source.field, "to_numpy() failed: " + take_python_error());
  return is_masked(array) ? add_values(source, array) : add_buffer(source, array);
}

Status Columns::add_values(const Source& source, py::handle values) {
  const auto owner = py::reinterpret_steal<py::tuple>(PySequence_Tuple(values.ptr()));
  if (!owner) throw py::error_already_set();
  const auto size = static_cast<std::size_t>(PyTuple_GET_SIZE(owner.ptr()));
  if (size != source.rows) return wrong_length(source.field, size, source.rows);
  Texts& texts = texts_.emplace_back();
  const bool all_str = std::all_of(owner.begin(), owner.end(),
                                   [](py::handle value) { return PyUnicode_Check(value.ptr()) != 0; });
  Status read = all_str ? read_str(source.field, owner, texts.views) : spell(source.field, owner, texts);
  if (!read) return read;
  owners_.push_back(owner);
  columns_.push_back({source.name, all_str ? ColumnType::kText : ColumnType::kJson,
                      reinterpret_cast<const std::byte*>(texts.views.data()), sizeof(std::string_view)});
  return ok_status();
}

// The values as JSON, by the same rules as the fields of a publish.
Status Columns::spell(const std::string& field, const py::tuple& values, Texts& texts) const {
  std::vector<std::size_t> ends;
  ends.reserve(values.size());
  for (const py::handle value : values) {
    const bool lacking = non_finite_ == NonFinite::kNull && is_lacking(value);
    const std::string place = item_of(field, ends.size());
    // 2: the row is the object around it.
    const Status written = append_json(lacking ? py::handle(Py_None) : value, place, texts.spelled, 2);
    if (!written) return written;
    ends.push_back(texts.spelled.size());
  }
  std::size_t start = 0;
  for (const std::size_t end : ends) {
    texts.views.push_back(std::string_view(texts.spelled).substr(start, end - start));
    start = end;
  }
  return ok_status();
}

Status Columns::add_buffer(const Source& source, py::handle values) {
  Py_buffer buffer{};
  if (PyObject_GetBuffer(values.ptr(), &buffer, PyBUF_RECORDS_RO) != 0)
    return bad(source.field, "must be " + std::string(kAllowed) + ": " + take_python_error());
  buffers_.push_back(buffer);
  if (buffer.ndim != 1)
    return bad(source.field, "has " + std::to_string(buffer.ndim) + " dimensions, must have 1");
  const std::string format = buffer.format == nullptr ? "B" : buffer.format;
  if (is_read_one_by_one(format)) return add_values(source, values);
  const std::optional<ColumnType> type = type_of(format, buffer.itemsize);
  if (!type) {
    return bad(source.field, "a buffer of format '" + format + "' with " + std::to_string(buffer.itemsize) +
                                 " bytes a value; allowed are int and uint of 8 to 64 bits, float32, "
                                 "float64 and bool in this machine's byte order");
  }
  const auto size = static_cast<std::size_t>(buffer.shape[0]);
  if (size != source.rows) return wrong_length(source.field, size, source.rows);
  // ctypes leaves the strides of a contiguous array out.
  const Py_ssize_t stride = buffer.strides == nullptr ? buffer.itemsize : buffer.strides[0];
  columns_.push_back({source.name, *type, static_cast<const std::byte*>(buffer.buf), stride});
  return ok_status();
}

}  // namespace tickwire
