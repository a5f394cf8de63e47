// Subscriptions: takes a session's subscriptions up and down, in its own table and in the shard's topics.
// Loop thread. Sends nothing: what a new subscription owes leaves with the session's next write.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "fanout/sender.h"
#include "fanout/shard_parts.h"
#include "protocol/encode.h"

namespace tickwire {

struct SubscribeOptions {
  bool snapshot = true;
  std::uint16_t pace_ms = 0;
  std::uint64_t last = 0;
  const std::unordered_map<std::string, std::uint64_t>* since = nullptr;  // of the command; null: it has none
  bool same_epoch = false;                                                // since is of this server's epoch
};

class Subscriptions {
 public:
  Subscriptions(ShardParts& parts, Sender& sender) : parts_(parts), sender_(sender) {}

  // `text` is a topic or a pattern. Of one that is subscribed already: takes the new options and owes the
  // snapshot again, or, where none is wanted, what it owed. The result carries the topic's seq, or the error.
  TopicResult subscribe(Session& session, std::string_view text, const SubscribeOptions& options);
  TopicResult unsubscribe(Session& session, std::string_view text);
  // What the client asked for under that very text.
  [[nodiscard]] std::optional<SubscriptionIndex> find(Session& session, std::string_view text) const;
  // All of them, when the session ends.
  void forget(Session& session);

 private:
  TopicResult subscribe_topic(Session& session, std::string_view text, const SubscribeOptions& options);
  TopicResult subscribe_pattern(Session& session, const Pattern& pattern, const SubscribeOptions& options);
  // Topics of a pattern that do not begin with their snapshot.
  void resume_topics(Session& session, const Pattern& pattern, const SubscribeOptions& options,
                     TopicResult& result);
  void remove_topic(Session& session, SubscriptionIndex index);
  void remove_pattern(Session& session, SubscriptionIndex index);
  [[nodiscard]] PatternSubscription* covering_pattern(Session& session, const TopicState& state) const;
  void drop_children(Session& session);
  void hand_over(Session& session, const PatternSubscription& gone);
  // The state of this topic is among what it has not shown yet.
  static bool owes(const PatternSubscription& pattern, const TopicState& state);
  void begin(Session& session, SubscriptionIndex index, const SubscribeOptions& options,
             const TopicState& state, TopicResult& result);
  static void resume(Subscription& subscription, std::uint64_t since, const SubscribeOptions& options,
                     const TopicState& state, TopicResult& result);

  ShardParts& parts_;
  Sender& sender_;
};

}  // namespace tickwire
