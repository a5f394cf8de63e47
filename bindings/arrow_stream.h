// arrow_stream: names and columns of float64 as a PyCapsule "arrow_array_stream" with one record batch
// (https://arrow.apache.org/docs/format/CDataInterface.html, CStreamInterface.html, PyCapsuleInterface.html).
//
// The values are copied: what was exported lives on its own, and its consumer may release it on any thread.
#pragma once

#include <pybind11/pybind11.h>

#include <string>
#include <vector>

namespace tickwire {

// The column "topic", of `names`, and one for each of `fields`, whose values are the float64 in the bytearray
// at the same place of `buffers`; NaN becomes null. With the GIL.
pybind11::capsule arrow_stream(const std::vector<std::string>& names, const std::vector<std::string>& fields,
                               const pybind11::list& buffers);

}  // namespace tickwire
