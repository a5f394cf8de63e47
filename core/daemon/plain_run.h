// Runs an engine without plugins: in this process, until it is told to stop.
#pragma once

#include "base/error.h"
#include "engine/engine.h"

namespace tickwire {

// From the main thread, before any other was made. Starts the engine; returns when SIGTERM or SIGINT came and
// it has stopped. A second signal ends the process at once.
Status run_plain(Engine& engine);

}  // namespace tickwire
