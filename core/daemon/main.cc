// tickwired: the server as a program of its own. Command line and signals; everything else is Engine.
#include <csignal>
#include <exception>
#include <utility>

#include "daemon/hangup_signal.h"
#include "daemon/options.h"
#include "daemon/plain_run.h"
#include "daemon/plugin_run.h"
#include "daemon/service_manager.h"
#include "daemon/standard_streams.h"
#include "engine/engine.h"
#include "engine/exit_codes.h"

namespace tickwire {
namespace {

int fail(const Error& error) {
  say(error.message);
  return exit_code(error.code);
}

int run(const Options& options) {
  Result<Config> config = load_config(options);
  if (!config) return fail(config.error());
  if (options.check) {
    for (const std::string& warning : config->warnings) say(warning);
    return print_line("the configuration is valid") ? kExitOk : kExitCannotWrite;
  }
  const bool has_plugins = !config->plugin_files.empty();
  Result<std::unique_ptr<Engine>> engine = Engine::create(std::move(*config));
  if (!engine) return fail(engine.error());
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // a file at its limit is an error of the store, not the end
  ServiceManager manager(**engine);
  const HangupSignal hangup_signal(options, **engine, manager);
  if (has_plugins) run_with_plugins(std::move(*engine));
  const Status served = run_plain(**engine);
  return served ? kExitOk : fail(served.error());
}

}  // namespace
}  // namespace tickwire

int main(int argc, char** argv) {
  tickwire::open_standard_streams();
  int code = 0;
  const auto options = tickwire::parse_options(argc, argv, code);
  if (!options) return code;
  try {
    return tickwire::run(*options);
  } catch (const std::exception& error) {
    tickwire::say(error.what());
    return tickwire::kExitServerError;
  }
}
