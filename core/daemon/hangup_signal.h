// HangupSignal: reads the configuration again on SIGHUP and hands it to the engine, on a thread of its own.
// A SIGHUP that comes because the server's terminal was closed ends the server, as SIGTERM does: nobody could
// stop it from there any more.
//
// Made before any other thread, so that all of them leave the signal to it. The engine and the service
// manager, which is told of each reload, outlive it.
#pragma once

#include <string>
#include <thread>

#include "daemon/options.h"
#include "daemon/service_manager.h"
#include "engine/engine.h"

namespace tickwire {

class HangupSignal {
 public:
  HangupSignal(const Options& options, Engine& engine, ServiceManager& manager);
  ~HangupSignal();
  HangupSignal(const HangupSignal&) = delete;
  HangupSignal& operator=(const HangupSignal&) = delete;

 private:
  // Returns why not; empty: done.
  std::string reload();
  void run(const std::stop_token& stopping);

  const Options& options_;
  Engine& engine_;
  ServiceManager& manager_;
  const bool had_terminal_;
  std::jthread thread_;
};

}  // namespace tickwire
