// Engine: one whole server in a process: owns the clock, hub, bridge, store and loops, and starts and stops
// them in order. The daemon and the Python module are two doors to this class.
//
// Thread: create, start, stop and the destructor from one thread at a time; the accessors from any, between
// start() and stop() for what start makes. Signals belong to the two mains.
// Start: store opened -> images restored -> loops bound -> store, housekeeping and loops run. What fails
// halfway is undone before start() returns. Stop, within server.drain_s: loops stop accepting and tell their
// clients -> loops end -> housekeeping ends -> the store writes what is left and marks a clean stop.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/error.h"
#include "engine/config.h"

namespace tickwire {

class Bridge;
class Hub;
class Shard;

class Engine {
 public:
  static Result<std::unique_ptr<Engine>> create(Config config);
  ~Engine();  // stops
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // kStore*, kListen. Once in an engine's life.
  Status start();
  // Idempotent; returns when every thread has ended.
  void stop();

  [[nodiscard]] const Config& config() const;
  Hub& hub();
  Bridge& bridge();
  // After start(): the first loop's, for in-process subscribers.
  Shard& shard();
  // After start(): "127.0.0.1:8080", with the real port.
  [[nodiscard]] std::string address() const;
  // After start(): names this unbroken history of sequence numbers.
  [[nodiscard]] const std::string& epoch() const;
  // What GET /health answers.
  [[nodiscard]] std::string health_json() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
  explicit Engine(std::unique_ptr<Impl> impl);
};

}  // namespace tickwire
