// HttpSource: what HTTP answers beyond the hub. engine/ implements it.
//
// Called on every loop thread, so safe from several threads at once; must not wait.
#pragma once

#include <string>

namespace tickwire {

class HttpSource {
 public:
  virtual ~HttpSource() = default;
  // The body of GET /health: one JSON object.
  [[nodiscard]] virtual std::string health_json() const = 0;
};

}  // namespace tickwire
