#include "bindings/json_text.h"

#include <pybind11/gil_safe_call_once.h>

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>

#include "model/json_object.h"

namespace tickwire {

namespace py = pybind11;

namespace {

constexpr std::size_t kNumberCharsMax = 32;

// Drops the Python error that is set; its text.
std::string take_python_error() {
  py::error_already_set error;
  return error.what();
}

py::handle decimal_type() {
  PYBIND11_CONSTINIT static py::gil_safe_call_once_and_store<py::object> storage;
  return storage.call_once_and_store_result([] { return py::module_::import("decimal").attr("Decimal"); })
      .get_stored();
}

// The dict of a mapping that is none; null when it is no mapping.
py::object dict_of(py::handle data) {
  if (PyMapping_Check(data.ptr()) == 0 || !py::hasattr(data, "keys")) return {};
  return py::module_::import("builtins").attr("dict")(data);
}

// Writes one value; the first fault is kept and ends the walk.
class JsonWriter {
 public:
  JsonWriter(std::string& out, std::string_view root) : out_(out), root_(root) {}

  bool value(PyObject* object, std::size_t depth);
  [[nodiscard]] Error fault() const { return {ErrorCode::kBadData, field() + ": " + fault_, field()}; }

 private:
  [[nodiscard]] std::string field() const { return std::string(root_) + path_; }
  bool fail(std::string why);
  bool text(PyObject* object);
  bool integer(PyObject* object);
  bool real(double number);
  bool decimal(PyObject* object);
  bool fields(PyObject* dict, std::size_t depth);
  bool items(PyObject* sequence, std::size_t depth);
  bool other(PyObject* object, std::size_t depth);

  std::string& out_;
  const std::string_view root_;
  std::string fault_;
  std::string path_;  // of the fault, grown from its end
};

bool JsonWriter::fail(std::string why) {
  fault_ = std::move(why);
  return false;
}

bool JsonWriter::value(PyObject* object, std::size_t depth) {
  if (PyUnicode_Check(object)) return text(object);
  if (PyFloat_Check(object)) return real(PyFloat_AS_DOUBLE(object));
  if (object == Py_True) return out_ += "true", true;
  if (object == Py_False) return out_ += "false", true;
  if (object == Py_None) return out_ += "null", true;
  if (PyLong_Check(object)) return integer(object);
  if (PyDict_Check(object)) return fields(object, depth);
  if (PyList_Check(object) || PyTuple_Check(object)) return items(object, depth);
  return other(object, depth);
}

bool JsonWriter::text(PyObject* object) {
  Py_ssize_t size = 0;
  const char* utf8 = PyUnicode_AsUTF8AndSize(object, &size);
  if (utf8 == nullptr) return fail("a str that is not valid Unicode: " + take_python_error());
  static constexpr std::string_view kHex = "0123456789abcdef";
  const std::string_view from(utf8, static_cast<std::size_t>(size));
  out_ += '"';
  std::size_t clean = 0;  // start of the run that needs no escape
  for (std::size_t at = 0; at < from.size(); ++at) {
    const auto byte = static_cast<unsigned char>(from[at]);
    if (byte >= 0x20 && byte != '"' && byte != '\\') continue;
    out_ += from.substr(clean, at - clean);
    clean = at + 1;
    if (byte >= 0x20) {
      out_ += {'\\', from[at]};
    } else {
      out_ += "\\u00";
      out_ += {kHex[byte >> 4U], kHex[byte & 15U]};
    }
  }
  out_ += from.substr(clean);
  out_ += '"';
  return true;
}

bool JsonWriter::integer(PyObject* object) {
  int overflow = 0;
  const long long number = PyLong_AsLongLongAndOverflow(object, &overflow);
  if (overflow == 0) {
    std::array<char, kNumberCharsMax> chars{};
    const auto end = std::to_chars(chars.data(), chars.data() + chars.size(), number);
    out_.append(chars.data(), end.ptr);
    return true;
  }
  const py::object digits = py::reinterpret_steal<py::object>(PyLong_Type.tp_repr(object));
  if (!digits) return fail(take_python_error());
  out_ += py::cast<std::string_view>(digits);
  return true;
}

bool JsonWriter::real(double number) {
  if (!std::isfinite(number))
    return fail("JSON has no " + std::string(std::isnan(number) ? "NaN" : "infinity"));
  // The same borders as Python's repr, between which no exponent is written.
  const double magnitude = std::fabs(number);
  const bool fixed = magnitude == 0 || (magnitude >= 1e-4 && magnitude < 1e16);
  std::array<char, kNumberCharsMax> chars{};
  const auto end = std::to_chars(chars.data(), chars.data() + chars.size(), number,
                                 fixed ? std::chars_format::fixed : std::chars_format::scientific);
  const std::string_view digits(chars.data(), static_cast<std::size_t>(end.ptr - chars.data()));
  out_ += digits;
  if (fixed && digits.find('.') == std::string_view::npos) out_ += ".0";
  return true;
}

bool JsonWriter::decimal(PyObject* object) {
  const py::object shown = py::reinterpret_steal<py::object>(PyObject_Str(object));
  if (!shown) return fail(take_python_error());
  const auto digits = py::cast<std::string_view>(shown);
  const std::size_t sign = digits.starts_with('-') ? 1 : 0;
  if (digits.substr(sign).find_first_not_of("0123456789.E+-") != std::string_view::npos) {
    return fail("JSON has no " + std::string(digits));
  }
  out_ += digits;
  return true;
}

bool JsonWriter::fields(PyObject* dict, std::size_t depth) {
  if (depth > kJsonDepthMax) return fail("deeper than " + std::to_string(kJsonDepthMax));
  out_ += '{';
  PyObject* key = nullptr;
  PyObject* item = nullptr;
  Py_ssize_t at = 0;
  bool first = true;
  while (PyDict_Next(dict, &at, &key, &item) != 0) {
    if (!PyUnicode_Check(key)) return fail("a key must be a str, not " + py::repr(key).cast<std::string>());
    if (!first) out_ += ',';
    first = false;
    if (!text(key)) return false;
    out_ += ':';
    // Held: writing the value may run Python code, which may change the dict.
    const py::object held = py::reinterpret_borrow<py::object>(item);
    if (!value(held.ptr(), depth + 1)) {
      path_.insert(0, "." + py::str(key).cast<std::string>());
      return false;
    }
  }
  out_ += '}';
  return true;
}

bool JsonWriter::items(PyObject* sequence, std::size_t depth) {
  if (depth > kJsonDepthMax) return fail("deeper than " + std::to_string(kJsonDepthMax));
  out_ += '[';
  for (Py_ssize_t at = 0; at < PySequence_Fast_GET_SIZE(sequence); ++at) {
    if (at > 0) out_ += ',';
    const py::object held = py::reinterpret_borrow<py::object>(PySequence_Fast_GET_ITEM(sequence, at));
    if (!value(held.ptr(), depth + 1)) {
      path_.insert(0, "[" + std::to_string(at) + "]");
      return false;
    }
  }
  out_ += ']';
  return true;
}

// Decimal, mappings, and the integers that are not int (numpy.int64).
bool JsonWriter::other(PyObject* object, std::size_t depth) {
  if (py::isinstance(object, decimal_type())) return decimal(object);
  if (PyIndex_Check(object) != 0) {
    const py::object number = py::reinterpret_steal<py::object>(PyNumber_Index(object));
    if (!number) return fail(take_python_error());
    return integer(number.ptr());
  }
  if (const py::object dict = dict_of(object)) return fields(dict.ptr(), depth);
  return fail("JSON has no " + std::string(Py_TYPE(object)->tp_name));
}

// A copy of what a bytes-like object holds.
Status copy_buffer(py::handle data, std::string& out) {
  Py_buffer view;
  if (PyObject_GetBuffer(data.ptr(), &view, PyBUF_SIMPLE) != 0) {
    return Error{ErrorCode::kBadData, "data: " + take_python_error(), "data"};
  }
  out.assign(static_cast<const char*>(view.buf), static_cast<std::size_t>(view.len));
  PyBuffer_Release(&view);
  return ok_status();
}

}  // namespace

Result<std::string_view> payload_text(py::handle data, std::string& scratch) {
  PyObject* object = data.ptr();
  if (PyBytes_Check(object)) {
    return std::string_view(PyBytes_AS_STRING(object), static_cast<std::size_t>(PyBytes_GET_SIZE(object)));
  }
  if (PyUnicode_Check(object)) {
    Py_ssize_t size = 0;
    const char* utf8 = PyUnicode_AsUTF8AndSize(object, &size);
    if (utf8 == nullptr) {
      return Error{ErrorCode::kBadData, "data: not valid Unicode: " + take_python_error(), "data"};
    }
    return std::string_view(utf8, static_cast<std::size_t>(size));
  }
  if (PyObject_CheckBuffer(object) != 0) {
    if (const Status copied = copy_buffer(data, scratch); !copied) return copied.error();
    return std::string_view(scratch);
  }
  if (!PyDict_Check(object) && !dict_of(data)) {
    return Error{ErrorCode::kBadData,
                 "data: must be a mapping, or a JSON object as bytes or str, not " +
                     std::string(Py_TYPE(object)->tp_name),
                 "data"};
  }
  scratch.clear();
  if (const Status written = append_json(data, "data", scratch); !written) return written.error();
  return std::string_view(scratch);
}

Status append_json(py::handle value, std::string_view field, std::string& out) {
  JsonWriter writer(out, field);
  if (!writer.value(value.ptr(), 1)) return writer.fault();
  return ok_status();
}

}  // namespace tickwire
