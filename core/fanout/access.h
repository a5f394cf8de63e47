// Access: who may do what. The seam between a shard and the authorizers (in Python, behind bridge/).
//
// check(), ask() and close() are called on a loop thread and may not wait. An answer comes later through
// Shard::answer, from any thread. The shard closes a question that has none at its deadline, whatever becomes
// of it in Python.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "model/pattern_filter.h"
#include "session/client_info.h"

namespace tickwire {

enum class Action : std::uint8_t { kSubscribe, kPublish, kAuthenticate };

// kAsk: an authorizer is responsible, for a pattern at least for a part of it, so ask(). kTokenOnly: nobody
// can be asked, only a verified token can allow it (access/token_grant.h), but for what open_part() names.
// Before an authorizer is asked, such a token may allow it, too; kDeny is final.
enum class Verdict : std::uint8_t { kAllow, kDeny, kAsk, kTokenOnly };

struct AccessQuestion {
  std::uint64_t id = 0;     // unique in the process; echoed in the answer
  std::uint32_t shard = 0;  // whose question it is
  Action action = Action::kSubscribe;
  std::string topic;                         // a topic or pattern; empty for kAuthenticate
  std::shared_ptr<const ClientInfo> client;  // never null; shared by the questions of one command
};

// kUnavailable: nobody could say. Only kDeny is final.
enum class Ruling : std::uint8_t { kAllow, kDeny, kUnavailable };

struct AccessAnswer {
  std::uint64_t id = 0;
  Ruling ruling = Ruling::kUnavailable;
  std::int64_t ttl_ms = 0;   // kAllow: ask again before so long has passed; 0: never
  std::string text;          // the claims (a JSON object) of an authentication; else the reason
  std::string subject = {};  // of an authentication: `sub` of the claims, where that is a text
  double max_rate = 0;       // kAllow: messages a second of a subscription; 0: every update
  // For a subscription to a pattern, it says what each guard that overlaps it lets be seen of its own topics.
  // With them, kAllow allows no more than they do; `text` is what a guard that lets nothing be seen says.
  std::vector<GuardPart> guards = {};
};

class Access {
 public:
  virtual ~Access() = default;
  // For patterns too: one that overlaps a guarded pattern is guarded.
  [[nodiscard]] virtual Verdict check(Action action, std::string_view topic) const = 0;
  // kUnavailable: there is no room for it (the message says whose share is spent); no answer will come.
  virtual Status ask(AccessQuestion question) = 0;
  // What everybody may see where no guard has a say. Whoever asks for a pattern that is not allowed as a
  // whole sees at least this much of it. Constant.
  [[nodiscard]] virtual const PatternSetPtr& open_part() const = 0;
  // Gives back the room of a question whose answer nobody waits for any more; a late one is dropped.
  virtual void close(std::uint64_t id) = 0;
};

}  // namespace tickwire
