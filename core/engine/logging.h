// Where the core's log goes: standard error, so that what a program prints on standard output stays its own.
// The process has one log; any thread.
#pragma once

#include "engine/config_values.h"

namespace tickwire {

// The last call decides.
void set_up_logging(LogLevel level);

}  // namespace tickwire
