// What a publisher hands in as the JSON text it stands for, without Python's json module in between.
//
// Only with the GIL. bytes-like objects and str are taken as JSON as they are. A mapping is written compactly
// in its own order: float by its shortest digits as repr() has it, Decimal digit by digit, str unescaped but
// for what JSON demands. NaN, infinity, and types that JSON lacks are kBadData with the field's name
// ("data.bids[3].price").
#pragma once

#include <pybind11/pybind11.h>

#include <string>
#include <string_view>

#include "base/error.h"

namespace tickwire {

// The text of `data`, in `scratch` unless it can be lent by `data` itself: valid as long as both are.
Result<std::string_view> payload_text(pybind11::handle data, std::string& scratch);

// Appends `value` to `out`, whatever JSON value it is; `field` is its name in errors.
Status append_json(pybind11::handle value, std::string_view field, std::string& out);

}  // namespace tickwire
