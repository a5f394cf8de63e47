// AccessDesk: the questions that wait for an authorizer, each with what is to happen when it is answered. A
// question without an answer by its deadline is denied, so a hanging authorizer holds up only its own
// clients. Loop thread; answers are posted there by Shard::answer.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>

#include "fanout/shard_parts.h"

namespace tickwire {

class AccessDesk {
 public:
  // Called once, on the loop thread, with the answer of the authorizer or of the deadline.
  using OnAnswer = std::function<void(const AccessAnswer&)>;

  explicit AccessDesk(ShardParts& parts) : parts_(parts) {}

  void ask(Action action, std::string_view topic, const Session& session, OnAnswer on_answer);
  // Of a question that is no longer open: ignored.
  void answer(const AccessAnswer& answer);
  // Denies what is past its deadline.
  void expire();

 private:
  struct Open {
    std::int64_t deadline_us;
    OnAnswer on_answer;
  };

  ShardParts& parts_;
  std::unordered_map<std::uint64_t, Open> open_;
  std::uint64_t next_id_ = 1;
};

}  // namespace tickwire
