#include "bindings/json_text.h"

#include <pybind11/gil_safe_call_once.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <optional>

#include "bindings/errors.h"
#include "model/json_write.h"

namespace tickwire {

namespace py = pybind11;

namespace {

constexpr std::size_t kShownDigitsMax = 40;  // in an error

py::handle decimal_type() {
  PYBIND11_CONSTINIT static py::gil_safe_call_once_and_store<py::object> storage;
  return storage.call_once_and_store_result([] { return py::module_::import("decimal").attr("Decimal"); })
      .get_stored();
}

py::handle enum_type() {
  PYBIND11_CONSTINIT static py::gil_safe_call_once_and_store<py::object> storage;
  return storage.call_once_and_store_result([] { return py::module_::import("enum").attr("Enum"); })
      .get_stored();
}

// "datetime.datetime": what an error calls a type.
std::string type_name(py::handle object) {
  const py::handle type = py::type::handle_of(object);
  const auto name = py::str(type.attr("__qualname__")).cast<std::string>();
  const auto module = py::str(type.attr("__module__")).cast<std::string>();
  return module == "builtins" ? name : module + "." + name;
}

// Without the traceback that pybind11 puts behind it.
std::string first_line(const py::error_already_set& error) {
  const std::string what = error.what();
  return what.substr(0, what.find("\n\nAt:"));
}

// What a program may mean by a value that JSON lacks.
std::string way_out(py::handle object) {
  if (py::hasattr(object, "isoformat")) return "; isoformat() makes a str of it, timestamp() a number";
  if (py::hasattr(object, "__dataclass_fields__")) return "; dataclasses.asdict() makes a dict of it";
  if (py::hasattr(object, "tolist")) return "; tolist() makes a list of it";
  return "";
}

// The letter of NumPy's kinds (b, i, u, f, ...) of a scalar or an array without dimensions, known by what it
// has, so that NumPy need not be there; 0 for all else.
char numpy_scalar_kind(py::handle object) {
  if (!py::hasattr(object, "dtype") || !py::hasattr(object, "ndim") || !py::hasattr(object, "item")) return 0;
  const py::object kind = py::getattr(object.attr("dtype"), "kind", py::none());
  const bool scalar = py::isinstance<py::int_>(object.attr("ndim")) && object.attr("ndim").cast<int>() == 0;
  if (!scalar || !py::isinstance<py::str>(kind) || py::len(kind) != 1) return 0;
  return kind.cast<std::string>()[0];
}

// Writes one value; the first fault is kept and ends the walk.
class JsonWriter {
 public:
  JsonWriter(std::string& out, std::string_view root, std::vector<JsonField>* top = nullptr)
      : out_(out), root_(root), top_(top) {}

  bool value(PyObject* object, std::size_t depth);
  [[nodiscard]] Error fault() const { return {ErrorCode::kBadData, place() + ": " + fault_, place()}; }

 private:
  [[nodiscard]] std::string place() const { return std::string(root_) + path_; }
  bool fail(std::string why);
  bool text(PyObject* object);
  bool integer(PyObject* object);
  bool digits_of_number(std::string_view digits);
  bool real(double value);
  bool spelled(py::handle object);
  bool numpy_scalar(py::handle object, char kind, std::size_t depth);
  template <typename T>
  bool number(T value);
  bool fields(PyObject* dict, std::size_t depth);
  bool field(PyObject* key, PyObject* item, std::size_t depth);
  bool items(PyObject* sequence, std::size_t depth);
  bool other(PyObject* object, std::size_t depth);
  bool foreign(PyObject* object, std::size_t depth);

  std::string& out_;
  const std::string_view root_;
  std::vector<JsonField>* const top_;  // of the outermost object, from the start of out_; or null
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
  append_json_string(out_, {utf8, static_cast<std::size_t>(size)});
  return true;
}

template <typename T>
bool JsonWriter::number(T value) {
  std::array<char, kNumberCharsMax> chars;  // NOLINT(cppcoreguidelines-pro-type-member-init): written at once
  out_.append(chars.data(), write_json_number(chars.data(), value));
  return true;
}

bool JsonWriter::integer(PyObject* object) {
  int overflow = 0;
  const long long value = PyLong_AsLongLongAndOverflow(object, &overflow);
  if (overflow == 0) return number(std::int64_t{value});
  const py::object digits = py::reinterpret_steal<py::object>(PyLong_Type.tp_repr(object));
  if (!digits) return fail(take_python_error());
  return digits_of_number(py::cast<std::string_view>(digits));
}

bool JsonWriter::real(double value) {
  if (std::isfinite(value)) return number(value);
  return fail("JSON has no " + std::string(std::isnan(value) ? "NaN" : "infinity"));
}

bool JsonWriter::digits_of_number(std::string_view digits) {
  if (!is_json_number(digits)) {
    const std::string shown(digits.substr(0, kShownDigitsMax));
    const bool finite = digits.find_first_not_of("+-.0123456789eE") == std::string_view::npos;
    return fail((finite ? "a number past a double (1.8e308): " : "JSON has no ") + shown);
  }
  out_ += digits;
  return true;
}

// A number whose str() are its digits: a Decimal, a NumPy float.
bool JsonWriter::spelled(py::handle object) {
  const py::object shown = py::reinterpret_steal<py::object>(PyObject_Str(object.ptr()));
  if (!shown) return fail(take_python_error());
  return digits_of_number(py::cast<std::string_view>(shown));
}

bool JsonWriter::numpy_scalar(py::handle object, char kind, std::size_t depth) {
  const bool number = kind == 'b' || kind == 'i' || kind == 'u' || kind == 'f';
  if (!number && kind != 'U') return fail("JSON has no " + type_name(object) + way_out(object));
  const bool array = py::hasattr(object, "__len__");
  if (array && is_masked(object)) return fail("JSON has no masked value; None stands for it");
  // An array without dimensions gives its one value. A float32 stays one, because its own digits are the
  // shortest.
  const py::object scalar = array ? object[py::tuple()] : py::reinterpret_borrow<py::object>(object);
  if (kind == 'f' && PyFloat_Check(scalar.ptr()) == 0) return spelled(scalar);
  return value(py::object(scalar.attr("item")()).ptr(), depth);
}

bool JsonWriter::fields(PyObject* dict, std::size_t depth) {
  if (depth > kJsonDepthMax) return fail("deeper than " + std::to_string(kJsonDepthMax));
  out_ += '{';
  PyObject* key = nullptr;
  PyObject* item = nullptr;
  Py_ssize_t at = 0;
  bool first = true;
  while (PyDict_Next(dict, &at, &key, &item) != 0) {
    if (!first) out_ += ',';
    first = false;
    // Held: writing the value may run Python code, which may change the dict.
    const py::object held_key = py::reinterpret_borrow<py::object>(key);
    const py::object held_item = py::reinterpret_borrow<py::object>(item);
    if (!field(key, item, depth)) return false;
  }
  out_ += '}';
  return true;
}

bool JsonWriter::field(PyObject* key, PyObject* item, std::size_t depth) {
  if (!PyUnicode_Check(key)) {
    return fail("a key must be a str, not " + py::repr(key).cast<std::string>().substr(0, kShownDigitsMax));
  }
  const auto end = [&] { return static_cast<std::uint32_t>(out_.size()); };
  JsonField place;
  place.key = end() + 1;
  if (!text(key)) return false;
  place.key_size = end() - 1 - place.key;
  out_ += ':';
  place.value = end();
  if (!value(item, depth + 1)) {
    path_.insert(0, "." + py::str(key).cast<std::string>());
    return false;
  }
  place.value_size = end() - place.value;
  if (depth > 1 || top_ == nullptr) return true;
  place.key_escaped = place.key_in(out_).find('\\') != std::string_view::npos;
  top_->push_back(place);
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

// What is none of JSON's own types may run Python code, which may raise.
bool JsonWriter::other(PyObject* object, std::size_t depth) {
  try {
    return foreign(object, depth);
  } catch (py::error_already_set& error) {
    if (error.matches(PyExc_KeyboardInterrupt)) throw;
    return fail(first_line(error));
  }
}

// Decimal, Enum, NumPy scalars, mappings, and whatever is an integer without being an int.
bool JsonWriter::foreign(PyObject* object, std::size_t depth) {
  if (py::isinstance(object, decimal_type())) return spelled(object);
  if (py::isinstance(object, enum_type())) {
    const py::object inner = py::handle(object).attr("value");
    if (py::isinstance(inner, enum_type()) && !py::isinstance<py::int_>(inner) &&
        !py::isinstance<py::str>(inner))
      return fail("an Enum whose value is an Enum");
    return value(inner.ptr(), depth);
  }
  if (const char kind = numpy_scalar_kind(object)) return numpy_scalar(object, kind, depth);
  if (PyIndex_Check(object) != 0) {
    const py::object number = py::reinterpret_steal<py::object>(PyNumber_Index(object));
    if (number) return integer(number.ptr());
    if (PyErr_ExceptionMatches(PyExc_TypeError) == 0) return fail(take_python_error());
    PyErr_Clear();  // an array of numbers, say
  }
  if (const py::object dict = dict_of(object)) return fields(dict.ptr(), depth);
  return fail("JSON has no " + type_name(object) + way_out(object));
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

bool is_masked(py::handle array) {
  if (!py::hasattr(array, "mask") || !py::hasattr(array, "filled")) return false;
  const py::object masked = array.attr("mask").attr("any")();
  return PyObject_IsTrue(masked.ptr()) == 1;
}

std::string take_python_error() {
  return first_line(py::error_already_set());
}

py::object dict_of(py::handle data) {
  if (PyDict_Check(data.ptr()) != 0) return py::reinterpret_borrow<py::object>(data);
  if (PyMapping_Check(data.ptr()) == 0 || !py::hasattr(data, "keys")) return {};
  return py::module_::import("builtins").attr("dict")(data);
}

namespace {

Result<Payload> mapping_payload(py::handle data, PayloadScratch& scratch) {
  const py::object dict = dict_of(data);
  if (!dict) {
    return Error{
        ErrorCode::kBadData,
        "data: must be a mapping, or a JSON object as bytes or str, not " + type_name(data) + way_out(data),
        "data"};
  }
  scratch.text.clear();
  scratch.fields.clear();
  JsonWriter writer(scratch.text, "data", &scratch.fields);
  if (!writer.value(dict.ptr(), 1)) return writer.fault();
  if (const Status fits = check_payload_bytes(scratch.text.size()); !fits) return fits.error();
  return Payload{scratch.text, scratch.fields};
}

}  // namespace

Result<Payload> payload_of(py::handle data, PayloadScratch& scratch) {
  PyObject* object = data.ptr();
  if (PyBytes_Check(object)) {
    const auto size = static_cast<std::size_t>(PyBytes_GET_SIZE(object));
    return Payload{{PyBytes_AS_STRING(object), size}, std::nullopt};
  }
  if (PyUnicode_Check(object)) {
    Py_ssize_t size = 0;
    const char* utf8 = PyUnicode_AsUTF8AndSize(object, &size);
    if (utf8 == nullptr) {
      return Error{ErrorCode::kBadData, "data: not valid Unicode: " + take_python_error(), "data"};
    }
    return Payload{{utf8, static_cast<std::size_t>(size)}, std::nullopt};
  }
  if (PyObject_CheckBuffer(object) != 0) {
    if (const Status copied = copy_buffer(data, scratch.text); !copied) return copied.error();
    return Payload{scratch.text, std::nullopt};
  }
  try {
    return mapping_payload(data, scratch);
  } catch (py::error_already_set& error) {  // of the mapping's own methods
    if (error.matches(PyExc_KeyboardInterrupt)) throw;
    return Error{ErrorCode::kBadData, "data: " + first_line(error), "data"};
  }
}

py::str json_text(py::handle data) {
  PayloadScratch scratch;
  const Payload payload = unwrap(payload_of(data, scratch));
  if (!payload.fields) unwrap(scan_object(payload.text, scratch.fields));
  return {payload.text.data(), payload.text.size()};
}

Status append_json(py::handle value, std::string_view field, std::string& out, std::size_t depth) {
  JsonWriter writer(out, field);
  if (!writer.value(value.ptr(), depth)) return writer.fault();
  return ok_status();
}

}  // namespace tickwire
