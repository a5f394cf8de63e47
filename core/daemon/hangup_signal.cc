#include "daemon/hangup_signal.h"

#include <fcntl.h>
#include <pthread.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <csignal>

#include "base/fault.h"

namespace tickwire {
namespace {

sigset_t hang_up() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGHUP);
  return signals;
}

// tty(4): opening it fails in a process without a controlling terminal, and once that was closed.
bool has_terminal() {
  const int terminal = ::open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (terminal < 0) return false;
  ::close(terminal);
  return true;
}

}  // namespace

HangupSignal::HangupSignal(const Options& options, Engine& engine, ServiceManager& manager)
    : options_(options), engine_(engine), manager_(manager), had_terminal_(has_terminal()) {
  const sigset_t signals = hang_up();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  // The thread blocks all signals: one that it took before others wait for it would end the process.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  thread_ = std::jthread([this](const std::stop_token& stopping) { run(stopping); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

HangupSignal::~HangupSignal() {
  thread_.request_stop();
  pthread_kill(thread_.native_handle(), SIGHUP);
}

std::string HangupSignal::reload() {
  const Result<Config> fresh = load_config(options_);
  if (!fresh) {
    spdlog::error("not reloaded: {}", fresh.error().message);
    return fresh.error().message;
  }
  engine_.reload(*fresh);
  return "";
}

void HangupSignal::run(const std::stop_token& stopping) {
  const sigset_t signals = hang_up();
  int number = 0;
  while (sigwait(&signals, &number) == 0 && !stopping.stop_requested()) {
    if (had_terminal_ && !has_terminal()) {
      spdlog::warn("the terminal was closed");
      ::kill(::getpid(), SIGTERM);
      continue;
    }
    manager_.reload_begins();
    std::string failure = "a fault, which is in the log";
    contained(Boundary::kReload, "reading the configuration again", [&] { failure = reload(); });
    manager_.reload_ended(failure);
  }
}

}  // namespace tickwire
