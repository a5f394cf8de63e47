// HttpSource: what HTTP answers beyond the hub. engine/ implements it.
//
// Called on every loop thread, so safe from several threads at once; must not wait.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/work.h"
#include "fanout/revoke_target.h"
#include "fanout/session_report.h"

namespace tickwire {

// kPublic names nothing: no plugin, no file, no address.
enum class HealthDetail : std::uint8_t { kPublic, kAll };

struct HealthAnswer {
  bool well = true;  // every loop turns, and the server is not draining
  std::string json;  // one object
};

// A text that is made in pieces: called on one loop thread, between its turns, until it returns the whole.
using TextInPieces = std::function<std::optional<std::string>(const Budget&)>;

// Who asks for something that only an admin may, for the audit log.
struct AdminActor {
  std::string who;   // by which right: "admin socket", "auth.admin_token", "program"
  std::string from;  // "uid 0, pid 4711", "192.0.2.7:50123", "this process"
};

// A JSON object, or why nothing was revoked.
using RevokeDone = std::function<void(Result<std::string>)>;

class HttpSource {
 public:
  virtual ~HttpSource() = default;
  [[nodiscard]] virtual HealthAnswer health(HealthDetail detail) const = 0;
  // Plugins are loaded, the store is restored, every loop was started, and stop() was not called.
  [[nodiscard]] virtual bool serves() const = 0;
  // The body of GET /metrics.
  [[nodiscard]] virtual TextInPieces metrics() const = 0;
  // The body of GET /v1/sessions, handed to `done` once, on any thread: when every loop has told its own.
  virtual void list_sessions(const SessionsQuery& query, std::function<void(std::string)> done) = 0;
  // The answer to POST /v1/revoke, handed to `done` once, on any thread, unless the server ends before that:
  // when the sessions have ended, and the store has it.
  virtual void revoke(const RevokeTarget& target, const AdminActor& by, RevokeDone done) = 0;
};

}  // namespace tickwire
