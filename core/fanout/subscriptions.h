// Subscriptions: takes a session's subscriptions up and down, in its own table and in the shard's topics.
// Loop thread. Sends nothing: what a new subscription owes leaves with the session's next write.
#pragma once

#include <optional>
#include <string_view>

#include "fanout/sender.h"
#include "fanout/shard_parts.h"
#include "protocol/encode.h"

namespace tickwire {

struct SubscribeOptions {
  bool snapshot = true;
  std::uint16_t pace_ms = 0;
};

class Subscriptions {
 public:
  Subscriptions(ShardParts& parts, Sender& sender) : parts_(parts), sender_(sender) {}

  // `text` is a topic or a pattern. Of one that is subscribed already: takes the new options and owes the
  // snapshot again. The result carries the topic's seq, or the error.
  TopicResult subscribe(Session& session, std::string_view text, const SubscribeOptions& options);
  TopicResult unsubscribe(Session& session, std::string_view text);
  // What the client asked for under that very text.
  [[nodiscard]] std::optional<SubscriptionIndex> find(Session& session, std::string_view text) const;
  // All of them, when the session ends.
  void forget(Session& session);

 private:
  TopicResult subscribe_topic(Session& session, std::string_view text, const SubscribeOptions& options);
  void subscribe_pattern(Session& session, const Pattern& pattern, const SubscribeOptions& options);
  void remove_topic(Session& session, SubscriptionIndex index);
  void remove_pattern(Session& session, SubscriptionIndex index);
  [[nodiscard]] PatternSubscription* covering_pattern(Session& session, const TopicState& state) const;
  void hand_over(Session& session, const PatternSubscription& gone);
  void begin(Session& session, SubscriptionIndex index, bool snapshot, const TopicState& state);

  ShardParts& parts_;
  Sender& sender_;
};

}  // namespace tickwire
