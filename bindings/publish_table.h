// publish_table: a row for each topic from columns that lie in NumPy's, Arrow's or anybody's memory.
//
// Called with the GIL, which it gives up once it holds the buffers; the columns are neither copied nor made
// into Python objects. A column is a one-dimensional buffer of numbers or bools in this machine's byte order,
// strided or not, an object whose to_numpy() gives one, or a list, tuple or array of objects, whose values
// are written as the fields of a publish are (json_text.h).
#pragma once

#include <pybind11/pybind11.h>

#include <cstddef>
#include <string_view>

#include "engine/engine.h"
#include "hub/topic.h"

namespace tickwire {

// How many. Nothing is published unless all topics and values are good; a row that its topic refuses then (an
// image past its limit) is an error, raised after all other rows are published. `nan`: error or null.
std::size_t publish_table(Engine& engine, const pybind11::iterable& topics, const pybind11::object& columns,
                          std::string_view nan, FeedId feed);

}  // namespace tickwire
