#include "daemon/service_manager.h"

#include <fmt/format.h>
#include <pthread.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "base/fault.h"

namespace tickwire {
namespace {

using std::chrono::microseconds;

constexpr std::chrono::milliseconds kLookForStart{20};
constexpr std::chrono::milliseconds kPeriodMin{10};
constexpr std::chrono::seconds kPeriodMax{1};
constexpr timeval kSendTimeout{.tv_sec = 5, .tv_usec = 0};

// Takes a variable out of the environment: a plugin's own processes are no services.
std::string taken(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): before other threads
  std::string text = value == nullptr ? "" : value;
  ::unsetenv(name);  // NOLINT(concurrency-mt-unsafe)
  return text;
}

std::int64_t to_number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? value : 0;
}

microseconds asked_watchdog() {
  const std::string pid = taken("WATCHDOG_PID");
  const std::int64_t us = to_number(taken("WATCHDOG_USEC"));
  const bool is_ours = pid.empty() || to_number(pid) == ::getpid();
  return microseconds(is_ours ? std::max<std::int64_t>(us, 0) : 0);
}

// A path, or with '@' a name in the abstract namespace.
bool is_address(std::string_view text) {
  return text.size() > 1 && text.size() < sizeof(sockaddr_un::sun_path) && (text[0] == '/' || text[0] == '@');
}

std::int64_t monotonic_us() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1'000;
}

}  // namespace

ServiceManager::ServiceManager(const Engine& engine)
    : engine_(engine), address_(taken("NOTIFY_SOCKET")), watchdog_(asked_watchdog()) {
  if (address_.empty()) return;
  if (!is_address(address_)) {
    spdlog::warn("NOTIFY_SOCKET: \"{}\" is no path and no @name, so the service manager is told nothing",
                 address_);
    return;
  }
  socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &kSendTimeout, sizeof(kSendTimeout));
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  thread_ = std::jthread([this](const std::stop_token& stopping) {
    ::pthread_setname_np(::pthread_self(), "tickwire-notify");
    contained(Boundary::kWatchdog, "telling the service manager", [&] { run(stopping); });
  });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

ServiceManager::~ServiceManager() {
  if (thread_.joinable()) {
    thread_.request_stop();
    thread_.join();
  }
  if (socket_ >= 0) ::close(socket_);
}

void ServiceManager::reload_begins() {
  if (engine_.serves()) tell(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", monotonic_us()));
}

void ServiceManager::reload_ended(std::string_view failure) {
  if (!engine_.serves()) return;
  std::string line(failure);
  std::ranges::replace(line, '\n', ' ');
  tell("READY=1\nSTATUS=" + (line.empty() ? "serving" : "serving; not reloaded: " + line));
}

void ServiceManager::run(const std::stop_token& stopping) {
  while (!engine_.serves()) {
    if (!sleep(stopping, kLookForStart)) return;
  }
  tell("READY=1\nSTATUS=serving");
  if (watchdog_ <= microseconds(0)) return;
  // Four signs of life in the time, so that a late one does no harm. They go on while the server stops.
  const microseconds period = std::clamp<microseconds>(watchdog_ / 4, kPeriodMin, kPeriodMax);
  do {
    if (engine_.loops_turn()) tell("WATCHDOG=1");
  } while (sleep(stopping, period));
}

bool ServiceManager::sleep(const std::stop_token& stopping, microseconds duration) {
  std::unique_lock lock(mutex_);
  sleep_.wait_for(lock, stopping, duration, [] { return false; });
  return !stopping.stop_requested();
}

void ServiceManager::tell(const std::string& state) const {
  if (socket_ < 0) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, address_.data(), address_.size());
  if (address_[0] == '@') address.sun_path[0] = '\0';
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size());
  const ssize_t sent = ::sendto(socket_, state.data(), state.size(), MSG_NOSIGNAL,
                                reinterpret_cast<const sockaddr*>(&address), size);
  if (sent < 0)
    spdlog::warn("the service manager was not told {}: {}", state.substr(0, state.find('\n')),
                 std::strerror(errno));
}

}  // namespace tickwire
