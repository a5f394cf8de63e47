// Error and Result<T>: how an expected failure travels through tickwire.
//
// Three kinds of failure, three tools: what can happen in a right program (bad input, a full disk) is a
// Result; what cannot is an assert; only bindings/ turns an Error into a Python exception.
// Values, no thread affinity, no ownership of anything else.
#pragma once

#include <cassert>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "base/limit.h"

namespace tickwire {

// What went wrong, for programs. Its wire name, whether a retry can help, and its meaning stand in
// protocol/codes.h; an exit code belongs to the few that end a process (engine/exit_codes.h).
enum class ErrorCode : std::uint8_t {
  kBadMessage,      // not JSON, not an object, not UTF-8, or a field of the wrong type
  kUnknownCommand,  // "type" names no command
  kBadTopic,        // a topic or pattern outside its grammar or its limit
  kBadData,         // a payload that is not a JSON object, too deep or too long
  kTooLarge,        // a message or a list over its limit
  kTooMany,         // a count (subscriptions, commands under way) over its limit
  kDenied,          // the authorizer, or auth.publish, said no
  kNotSubscribed,   // unsubscribe of what is not subscribed
  kUnavailable,     // nobody could say whether it is allowed: an authorizer failed, was late, had no room
  kUnknownTopic,    // nothing was ever published to it
  kDraining,        // the server is going away; reconnect
  kInternal,        // a bug of ours, contained
  kBadConfig,       // a key, type or range in the configuration
  kListen,          // the address could not be bound
  kStoreMissing,    // the store's folder does not exist
  kStoreLocked,     // another process holds the store
  kStoreForeign,    // a SQLite file that is not ours
  kStoreDamaged,    // not a readable SQLite file
  kStoreNewer,      // written by a newer tickwire
  kStoreIo,         // any other I/O failure of the store
};

struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;              // one sentence for a person: names the field, the value and the limit
  std::string field;                // the offending field ("topics[3]"), empty when there is none
  std::optional<Limit> limit = {};  // the one that is in the way
  std::int64_t retry_after_ms = 0;  // when the same may be tried again; 0: not known
};

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT: implicit by design
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit by design

  [[nodiscard]] bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  // Only when ok().
  T& value() { return assert(ok()), *std::get_if<0>(&state_); }
  const T& value() const { return assert(ok()), *std::get_if<0>(&state_); }
  T& operator*() { return value(); }
  const T& operator*() const { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  // Only when not ok().
  [[nodiscard]] const Error& error() const { return assert(!ok()), *std::get_if<1>(&state_); }

 private:
  std::variant<T, Error> state_;
};

// The Result of what returns nothing.
using Status = Result<std::monostate>;
inline Status ok_status() {
  return std::monostate{};
}

}  // namespace tickwire
