// Where the core's log goes: standard error, so that what a program prints on standard output stays its own.
// The process has one log; any thread.
#pragma once

#include <string_view>

#include "engine/config_values.h"

namespace tickwire {

// The last call decides.
void set_up_logging(LogLevel level);
// A line at level info, whatever the level is. After set_up_logging().
void log_always(std::string_view line);

}  // namespace tickwire
