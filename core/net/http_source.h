// HttpSource: what HTTP answers beyond the hub. engine/ implements it.
//
// Called on every loop thread, so safe from several threads at once; must not wait.
#pragma once

#include <functional>
#include <string>

#include "fanout/session_report.h"

namespace tickwire {

class HttpSource {
 public:
  virtual ~HttpSource() = default;
  // The body of GET /health: one JSON object.
  [[nodiscard]] virtual std::string health_json() const = 0;
  // The body of GET /v1/sessions, handed to `done` once, on any thread: when every loop has told its own.
  virtual void list_sessions(const SessionsQuery& query, std::function<void(std::string)> done) const = 0;
};

}  // namespace tickwire
