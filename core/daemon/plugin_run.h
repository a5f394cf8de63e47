// Runs an engine with its plugins: embeds the Python of the environment that this program was installed
// beside, whose package tickwire hosts them just as it does for tickwire.Server.
#pragma once

#include <memory>

#include "engine/engine.h"

namespace tickwire {

// From the main thread. Ends the process after everything has stopped, with the exit code; failures were
// printed. It does not return because a plugin's thread that does not end may still hold on to engine and
// interpreter. Without Python in this build: says so.
[[noreturn]] void run_with_plugins(std::unique_ptr<Engine> engine);

}  // namespace tickwire
