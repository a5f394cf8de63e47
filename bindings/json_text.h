// What a publisher hands in as the JSON text it stands for, without Python's json module in between.
//
// Only with the GIL. bytes-like objects and str are taken as JSON as they are. A mapping is written compactly
// in its own order: float by its shortest digits as repr() has it, Decimal digit by digit, an Enum as its
// value, a NumPy scalar as its number, str unescaped but for what JSON demands. NaN, infinity, a number past
// a double, types that JSON lacks and keys that are not str are kBadData with the field's name
// ("data.bids[3].price"), and so is a masked value of NumPy. What Python code raises meanwhile (a mapping's
// own methods), SystemExit included, is the same error; only KeyboardInterrupt passes, as error_already_set.
#pragma once

#include <pybind11/pybind11.h>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "model/json_object.h"

namespace tickwire {

struct Payload {
  std::string_view text;
  // Where its fields are, of what was written here and so needs no check; nothing: it is still to be scanned.
  std::optional<std::span<const JsonField>> fields;
};
struct PayloadScratch {
  std::string text;
  std::vector<JsonField> fields;
};
// The text of `data`, in `scratch` unless it can be lent by `data` itself: valid as long as both are.
Result<Payload> payload_of(pybind11::handle data, PayloadScratch& scratch);

// What a client sends as `data`: the same text that publish() would store. Throws DataError.
pybind11::str json_text(pybind11::handle data);

// A mapping as a dict, itself if it is one; null when it is no mapping.
pybind11::object dict_of(pybind11::handle data);
// Whether a value of a NumPy array is masked, known by what the array has, so that NumPy need not be there.
bool is_masked(pybind11::handle array);
// Drops the Python error that is set; its text.
std::string take_python_error();

// Appends `value` to `out`, whatever JSON value it is; `field` is its name in errors, `depth` that of an
// object or array that it is.
Status append_json(pybind11::handle value, std::string_view field, std::string& out, std::size_t depth = 1);

}  // namespace tickwire
