#include "bindings/errors.h"

#include <pybind11/pybind11.h>

#include <string_view>

#include "protocol/codes.h"

namespace tickwire {

namespace py = pybind11;

namespace {

// What Python calls a code: its name on the wire, and for the codes that no client sees one of its own.
std::string_view python_code(ErrorCode code) {
  switch (code) {
    case ErrorCode::kBadConfig:
      return "bad_config";
    case ErrorCode::kListen:
      return "listen";
    case ErrorCode::kStoreMissing:
      return "store_missing";
    case ErrorCode::kStoreLocked:
      return "store_locked";
    case ErrorCode::kStoreForeign:
      return "store_foreign";
    case ErrorCode::kStoreDamaged:
      return "store_damaged";
    case ErrorCode::kStoreNewer:
      return "store_newer";
    case ErrorCode::kStoreIo:
      return "store_io";
    default:
      return code_row(code).name;
  }
}

}  // namespace

void throw_error(const Error& error) {
  const py::gil_scoped_acquire held;  // who calls the core has given it back, perhaps
  const py::object field = error.field.empty() ? py::object(py::none()) : py::object(py::str(error.field));
  const py::object exception =
      py::module_::import("tickwire.errors")
          .attr("error_for")(python_code(error.code), error.message, py::arg("field") = field);
  PyErr_SetObject(py::type::handle_of(exception).ptr(), exception.ptr());
  throw py::error_already_set();
}

}  // namespace tickwire
