// ServiceManager: tells the service manager that started the daemon how it is, by the protocol of
// sd_notify(3): datagrams to $NOTIFY_SOCKET. READY=1 once clients and plugins are served, WATCHDOG=1 as long
// as all loops turn, RELOADING=1 and READY=1 around a reload. Nothing without $NOTIFY_SOCKET.
//
// Own code, because the protocol is a few lines, is documented as stable for this use, and libsystemd is not
// everywhere. Made by the main thread before others; reload_begins() and reload_ended() from the thread that
// reloads. It has a thread of its own, which takes no signals. The engine outlives it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "engine/engine.h"

namespace tickwire {

class ServiceManager {
 public:
  explicit ServiceManager(const Engine& engine);
  ~ServiceManager();
  ServiceManager(const ServiceManager&) = delete;
  ServiceManager& operator=(const ServiceManager&) = delete;

  void reload_begins();
  // `failure`: empty where there is none.
  void reload_ended(std::string_view failure);

 private:
  void run(const std::stop_token& stopping);
  // False: the time is over.
  bool sleep(const std::stop_token& stopping, std::chrono::microseconds duration);
  void tell(const std::string& state) const;

  const Engine& engine_;
  std::string address_;  // of the socket, as bind(2) has it; empty: there is none
  int socket_ = -1;
  std::chrono::microseconds watchdog_{0};  // after that time without a sign of life it is killed; 0: never
  std::mutex mutex_;
  std::condition_variable_any sleep_;
  std::jthread thread_;
};

}  // namespace tickwire
