#include <string>

#include "bindings/errors.h"
#include "bindings/json_text.h"
#include "bindings/register.h"
#include "model/topic_name.h"

namespace tickwire {

namespace py = pybind11;

namespace {

bool overlap(const std::string& one, const std::string& other) {
  return unwrap(Pattern::parse(one)).overlaps(unwrap(Pattern::parse(other)));
}

}  // namespace

void register_all(py::module_& module) {
  module.doc() = "The C++ core of tickwire. What it is for a user stands in the package around it.";
  module.attr("version") = TICKWIRE_VERSION;
  module.def("overlap", &overlap, py::arg("one"), py::arg("other"),
             "Some topic matches both patterns. Raises TopicError.");
  module.def("json_text", &json_text, py::arg("data"),
             "What is published for `data`, as JSON text. Raises DataError with the field's name.");
  register_config(module);
  register_events(module);
  register_local_session(module);
  register_engine(module);
  register_store(module);
  register_update(module);
  register_update_ring(module);
  register_client(module);
  register_arrow_stream(module);
}

}  // namespace tickwire
