#include "daemon/options.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <iostream>

#include "daemon/standard_streams.h"
#include "engine/exit_codes.h"

namespace tickwire {

std::optional<Options> parse_options(int argc, char** argv, int& exit_code) {
  Options options;
  CLI::App app("tickwired: a market-data server. Feeds publish to topics, clients subscribe over WebSocket.");
  app.add_option("plugins", options.plugins, "plugins to load besides plugins.files")->type_name("PLUGIN");
  app.add_option("--config", options.config_file, "configuration file (TOML)")->type_name("FILE");
  app.add_option("--set", options.sets, "one setting, over file and environment; may be repeated")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);  // what follows is a plugin
  app.add_option("--listen", options.listen, "server.listen")->type_name("HOST:PORT");
  app.add_flag("--check", options.check, "check the configuration and end");
  app.set_version_flag("--version", "tickwired " TICKWIRE_VERSION);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    exit_code = app.exit(error) == 0 ? kExitOk : kExitUsage;
    std::cout.flush();
    if (exit_code == kExitOk && (!std::cout || output_is_closed())) exit_code = kExitCannotWrite;
    return std::nullopt;
  }
  return options;
}

Result<Config> load_config(const Options& options) {
  ConfigSources sources{.file = options.config_file,
                        .environment = environment_settings(),
                        .overrides = {},
                        .sets = options.sets};
  if (!options.listen.empty()) sources.sets.push_back("server.listen=" + options.listen);
  Result<Config> config = load_config(sources);
  if (config) {
    config->plugin_files.insert(config->plugin_files.end(), options.plugins.begin(), options.plugins.end());
  }
  return config;
}

}  // namespace tickwire
