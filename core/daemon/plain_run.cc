#include "daemon/plain_run.h"

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
  spdlog::info("tickwired {} listening on http://{}", TICKWIRE_VERSION, engine.address());
  int number = 0;
  sigwait(&stop_signals, &number);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);  // from here on another one kills
  spdlog::info("stopping on {}", number == SIGINT ? "SIGINT" : "SIGTERM");
  engine.stop();
  return ok_status();
}

}  // namespace tickwire
