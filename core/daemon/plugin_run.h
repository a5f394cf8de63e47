// Runs an engine with its plugins: embeds the Python of the environment that this program was installed
// beside, whose package tickwire hosts them just as it does for tickwire.Server.
#pragma once

#include <memory>

#include "engine/engine.h"

namespace tickwire {

// From the main thread; returns the exit code after everything has stopped. Failures were printed. Without
// Python in this build: says so.
int run_with_plugins(std::unique_ptr<Engine> engine);

}  // namespace tickwire
