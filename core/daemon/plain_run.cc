#include "daemon/plain_run.h"

#include <fmt/ranges.h>
#include <pthread.h>
#include <spdlog/spdlog.h>

#include <csignal>

namespace tickwire {

Status run_plain(Engine& engine) {
  sigset_t stop_signals;
  sigset_t before;
  sigemptyset(&stop_signals);
  sigaddset(&stop_signals, SIGTERM);
  sigaddset(&stop_signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &stop_signals, &before);
  if (Status started = engine.start(); !started) return started;
  const auto or_none = [](const std::string& text) { return text.empty() ? "none" : text; };
  spdlog::info("tickwired {} listening on {} (configuration {}, plugins none, store {})", TICKWIRE_VERSION,
               fmt::join(engine.urls(), " and "), or_none(engine.config().file),
               or_none(engine.config().store_path));
  int number = 0;
  sigwait(&stop_signals, &number);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);  // from here on another one kills
  spdlog::info("stopping on {}", number == SIGINT ? "SIGINT" : "SIGTERM");
  engine.stop();
  spdlog::info("stopped");
  return ok_status();
}

}  // namespace tickwire
