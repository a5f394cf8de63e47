// Subscriptions: takes a session's subscriptions up and down, in its own table and in the shard's topics.
// Loop thread. Sends nothing: what a new subscription owes leaves with the session's next write.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/work.h"
#include "fanout/overlap.h"
#include "fanout/shard_parts.h"
#include "protocol/command.h"
#include "protocol/encode.h"

namespace tickwire {

struct SubscribeOptions {
  bool snapshot = true;
  std::uint16_t pace_ms = 0;
  // The part of that which is no wish of the client: no other subscription gets around it.
  std::uint16_t granted_pace_ms = 0;
  std::uint64_t last = 0;
  const SeqByTopic* since = nullptr;  // of the command; null: it has none
  bool same_epoch = false;            // since is of this server's epoch...
  bool last_epoch = false;            // ...or of the one before it, from which this one goes on

  [[nodiscard]] bool knows_epoch() const { return same_epoch || last_epoch; }
  // A seq of since means here what it means to the client.
  [[nodiscard]] bool knows(std::uint64_t seq, const Standing& topic) const {
    return (same_epoch && seq <= topic.seq) || (last_epoch && seq <= topic.seq_at_epoch);
  }
};

// To put the text of an error together, and to carry it to the answer.
inline constexpr std::uint64_t kErrorSteps = 4;

class Subscriptions {
 public:
  Subscriptions(ShardParts& parts, Overlap& overlap) : parts_(parts), overlap_(overlap) {}

  // `text` is a topic or a pattern; of a pattern, the part that `filter` lets. Of one that is subscribed
  // already: takes the new options and owes the snapshot again, or, where none is wanted, what it owed. A
  // pattern whose part is another one now is a new subscription, and the old one ends. The result carries the
  // topic's seq, or the error. What is subscribed is silent until release(), so that the command's answer
  // comes before it.
  TopicResult subscribe(Session& session, std::string_view text, const FilterPtr& filter,
                        const SubscribeOptions& options);
  // A pattern ends in pieces; until it has (Session::ending_count), topics of it may still be sent.
  TopicResult unsubscribe(Session& session, std::string_view text);
  // The same for one that no command asks for: it is released by itself, a pattern once it has joined its
  // topics. Options::since and last are for topics only.
  TopicResult subscribe_alone(Session& session, std::string_view text, const FilterPtr& filter,
                              const SubscribeOptions& options);
  // After its pattern was subscribed and has joined its topics (TopicTable::join).
  void joined(Session& session, const PatternState& state, const SubscribeOptions& options) const;
  // A child whose topic one of `patterns` decides about, which were subscribed again: it goes on at their
  // pace, and begins again where they do. `patterns`: their ids, sorted.
  void renew_child(Session& session, SubscriptionIndex index, const SubscribeOptions& options,
                   const std::vector<std::uint32_t>& patterns);
  // A topic of a pattern that does not begin with its snapshot, or is to begin with its last events.
  void resume_topic(Session& session, TopicState& state, const SubscribeOptions& options,
                    TopicResult& result);
  // Ends the silence of what was subscribed, a piece of it, with `place` 0 at first; true: of all.
  bool release(Session& session, std::size_t& place, const Budget& budget);
  // What the client asked for under that very text.
  [[nodiscard]] std::optional<SubscriptionIndex> find(Session& session, std::string_view text) const;
  // The part of a pattern that is subscribed to; null also where it is no pattern, or not subscribed to.
  [[nodiscard]] FilterPtr filter_of(Session& session, std::string_view text) const;
  // Subscribed to a pattern, but not to the part of it that `filter` lets.
  [[nodiscard]] bool has_other_part(Session& session, std::string_view text, const FilterPtr& filter) const;
  // A pattern of the client's decides about the topic where no subscription to that very topic does.
  [[nodiscard]] bool is_covered(Session& session, std::string_view topic) const;
  // Takes down those of a session that is gone, a piece of them; true: none is left.
  bool forget(Session& session, const Budget& budget);

 private:
  TopicResult subscribe_topic(Session& session, const Pattern& topic, const SubscribeOptions& options);
  // Whether it has to wait for its pace before it begins: the session may have been sent some of it lately.
  [[nodiscard]] bool waits(Session& session, const Pattern& pattern, const SubscribeOptions& options) const;
  void note_end(Session& session, std::string_view text, std::uint16_t pace_ms) const;
  TopicResult subscribe_pattern(Session& session, const Pattern& pattern, const FilterPtr& filter,
                                const SubscribeOptions& options);
  [[nodiscard]] Status room_for(Session& session, const Pattern& pattern, const FilterPtr& filter,
                                bool again) const;
  void release(Session& session, SubscriptionIndex index);
  void remove_topic(Session& session, SubscriptionIndex index);
  void remove_pattern(Session& session, SubscriptionIndex index);
  void drop_subscriber(PatternState& state, Session& session, SubscriptionIndex index);
  void unwant_pattern(PatternState& state);
  void begin(Session& session, SubscriptionIndex index, const SubscribeOptions& options,
             const TopicState& state, TopicResult& result);
  // The topic's last messages, and all that was not shown yet. False: the ring keeps none.
  static bool begin_with_last(Subscription& subscription, std::uint64_t last, const TopicState& state,
                              std::uint64_t shown_until);
  static void resume(Subscription& subscription, std::uint64_t since, const SubscribeOptions& options,
                     const TopicState& state, TopicResult& result);

  ShardParts& parts_;
  Overlap& overlap_;
};

}  // namespace tickwire
