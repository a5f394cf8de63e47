// Where the core's log goes: standard error, so that what a program prints on standard output stays its own.
// The process has one log; any thread.
#pragma once

#include <string>

namespace tickwire {

// `level` is one of log.level's choices. The last call decides.
void set_up_logging(const std::string& level);

}  // namespace tickwire
