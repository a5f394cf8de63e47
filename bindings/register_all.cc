#include "bindings/register.h"

namespace tickwire {

void register_all(pybind11::module_& module) {
  module.doc() = "The C++ core of tickwire. What it is for a user stands in the package around it.";
  module.attr("version") = TICKWIRE_VERSION;
  register_config(module);
  register_events(module);
  register_local_session(module);
  register_engine(module);
}

}  // namespace tickwire
