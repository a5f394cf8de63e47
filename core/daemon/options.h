// What the command line of tickwired says. Values.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/config.h"

namespace tickwire {

struct Options {
  std::string config_file;
  std::vector<std::string> sets;
  std::string listen;
  bool check = false;
  std::vector<std::string> plugins;
};

// Nothing: `exit_code` is what to end with; help, version or the mistake was printed.
std::optional<Options> parse_options(int argc, char** argv, int& exit_code);

// The file, the environment, and on top what the command line says.
Result<Config> load_config(const Options& options);

}  // namespace tickwire
