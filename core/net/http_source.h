// HttpSource: what HTTP answers beyond the hub. engine/ implements it.
//
// Called on every loop thread, so safe from several threads at once; must not wait.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/work.h"
#include "fanout/session_report.h"
#include "net/admin_action.h"

namespace tickwire {

// kPublic names nothing: no plugin, no file, no address.
enum class HealthDetail : std::uint8_t { kPublic, kAll };

struct HealthAnswer {
  bool well = true;  // every loop turns, and the server is not draining
  std::string json;  // one object
};

// A text that is made in pieces: called on one loop thread, between its turns, until it returns the whole.
using TextInPieces = std::function<std::optional<std::string>(const Budget&)>;

// A JSON object that says what was done, or why nothing was.
using AdminDone = std::function<void(Result<std::string>)>;

class HttpSource {
 public:
  virtual ~HttpSource() = default;
  [[nodiscard]] virtual HealthAnswer health(HealthDetail detail) const = 0;
  // Plugins are loaded, the store is restored, every loop was started, and stop() was not called.
  [[nodiscard]] virtual bool serves() const = 0;
  // Empty: clients may come; else why not yet, in a word.
  [[nodiscard]] virtual std::string_view not_ready() const { return serves() ? "" : "starting"; }
  // The body of GET /metrics.
  [[nodiscard]] virtual TextInPieces metrics() const = 0;
  // The body of GET /v1/sessions, handed to `done` once, on any thread: when every loop has told its own.
  virtual void list_sessions(const SessionsQuery& query, std::function<void(std::string)> done) = 0;
  // The body of GET /v1/halts: the topics that an operator holds.
  [[nodiscard]] virtual std::string halts() const = 0;
  // Somebody asked the admin listener for `request` ("POST /v1/halt") without a right to it.
  virtual void note_refused(const AdminActor& /*by*/, std::string_view /*request*/) {}
  // Does what an admin wants. `done` gets the answer once, on any thread, when it is done, unless the server
  // ends before that.
  virtual void act(const AdminAction& action, const AdminActor& by, AdminDone done) = 0;
};

}  // namespace tickwire
