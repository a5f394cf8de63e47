#include "bindings/register.h"

PYBIND11_MODULE(_core, module) {
  tickwire::register_all(module);
}
