// Access: who may do what. The seam between a shard and the authorizers (in Python, behind bridge/).
//
// check() and ask() are called on a loop thread and may not wait. An answer comes later through
// Shard::answer, from any thread; a question unanswered by its deadline counts as denied.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "session/client_info.h"

namespace tickwire {

enum class Action : std::uint8_t { kSubscribe, kPublish, kAuthenticate };

enum class Verdict : std::uint8_t { kAllow, kDeny, kAsk };

struct AccessQuestion {
  std::uint64_t id = 0;     // unique in the process; echoed in the answer
  std::uint32_t shard = 0;  // whose question it is
  Action action = Action::kSubscribe;
  std::string topic;  // a topic or pattern; empty for kAuthenticate
  ClientInfo client;
};

struct AccessAnswer {
  std::uint64_t id = 0;
  bool allow = false;
  std::int64_t ttl_ms = 0;  // subscriptions: ask again after it; 0: never
  std::string text;         // the reason of a denial; the claims (a JSON object) of an authentication
  bool overload = false;    // no verdict: too many questions wait; allow is false
};

class Access {
 public:
  virtual ~Access() = default;
  // kAsk: an authorizer is responsible, so ask(). For patterns too: one that overlaps a guarded pattern is
  // asked.
  [[nodiscard]] virtual Verdict check(Action action, std::string_view topic) const = 0;
  virtual void ask(AccessQuestion question) = 0;
};

}  // namespace tickwire
