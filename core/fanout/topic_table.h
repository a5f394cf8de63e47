// TopicTable: the topics and patterns that a shard's sessions want, the last update of each, who wants it,
// and in what order they changed.
//
// Loop thread. Registers with the hub what somebody wants and nothing else.
// Invariants: a TopicState exists while a subscription names its topic, or a wanted pattern matches it and it
// has an update; then the hub delivers the topic to this shard. last is the newest update applied here.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/work.h"
#include "codec/assembled.h"
#include "fanout/change_log.h"
#include "hub/hub.h"
#include "model/pattern_filter.h"
#include "model/pattern_index.h"
#include "protocol/format.h"
#include "session/session.h"

namespace tickwire {

struct SubscriberRef {
  std::uint32_t slot = 0;  // session
  SubscriptionIndex index = 0;
};

// A message that a pattern's live subscribers were sent.
struct PatternSent {
  std::uint64_t apply_no = 0;  // 0: none
  UpdatePtr update;
};

struct TopicState;

// A pattern, or a part of it: what its subscribers may see. It has only topics that they may.
struct PatternState {
  Pattern pattern;
  FilterPtr filter;  // null: all of it
  std::uint32_t id = 0;
  std::vector<SubscriberRef> subscribers;
  std::array<PatternSent, 2> sent;  // the last data updates, nearest first
  std::string joined_to;            // by name: the topics up to here are in its list
  bool joined = false;              // all of them
  std::vector<TopicState*> topics;  // that it has, in any order
};

// One of a topic's patterns, and the topic's place in the pattern's list.
struct Membership {
  PatternState* pattern = nullptr;
  std::uint32_t place = 0;
};

// A snapshot that paced subscriptions were sent, and the next one assembled against it.
struct PacedBase {
  struct Next {
    std::uint64_t revision = 0;  // of the update that it is made for; 0: none
    Assembled form;
  };
  UpdatePtr update;
  PerFormat<Next> next;
};

struct TopicState {
  Topic* topic = nullptr;
  UpdatePtr last;                          // null: nothing was published
  std::uint64_t apply_no = 0;              // when last was applied here, counted over all topics; 0: never
  std::uint64_t previous_no = 0;           // apply_no before that
  std::uint32_t wants = 0;                 // of this very topic: one interest in the hub stands for all
  std::vector<SubscriberRef> subscribers;  // by this very topic
  std::vector<Membership> patterns;        // wanted ones that have it, by id
  std::array<UpdatePtr, 2> recent;         // the last data updates, nearest first
  std::vector<PacedBase> paced;

  [[nodiscard]] std::uint64_t seq() const { return last ? last->seq() : 0; }
  // Whether the pattern has it: nothing of a topic is sent because of a pattern that has not.
  [[nodiscard]] bool is_of(std::uint32_t pattern_id) const;
  // `last` is a base from now on; the oldest of `most` goes.
  void keep_paced_base(std::size_t most);
  [[nodiscard]] bool is_event() const { return topic->delivery() == Delivery::kEvent; }
};

// Each new topic of a pattern is held against each part of it.
inline constexpr std::size_t kPatternPartsMax = 1'000;

class TopicTable {
 public:
  TopicTable(Hub& hub, SinkId sink) : hub_(hub), sink_(sink) {}

  // One more subscription to a topic. kBadTopic.
  Result<TopicState*> want(std::string_view name);
  // A session's subscription to this topic comes or goes, in its table and in the topic's list. It has no
  // interest of its own: the topic is already delivered here.
  static SubscriptionIndex add_subscription(Session& session, TopicState& state,
                                            const Subscription& subscription);
  static void remove_subscription(Session& session, TopicState& state, SubscriptionIndex index);
  // The state of a topic that a wanted pattern matches and that has an update, though perhaps none was
  // applied here yet. Null: there is no such topic.
  TopicState* expect(std::string_view name);
  // A topic that is wanted here, or null.
  [[nodiscard]] const Topic* find_topic(std::string_view name) const;
  // Undoes one want(), after remove_subscription; may destroy `state`.
  void unwant(TopicState& state);
  // The same for a subscription that had no interest of its own.
  void drop_if_unwanted(TopicState& state);

  // Makes it when it is new; then it has yet to join the topics that are there.
  PatternState& want_pattern(const Pattern& pattern, const FilterPtr& filter);
  // A piece of that; true: it has joined them all.
  bool join(PatternState& state, const Budget& budget);
  // Null: nobody here wants it, or this part of it.
  [[nodiscard]] PatternState* find_pattern(std::string_view text, const FilterPtr& filter);
  // kTooMany: so many different parts of it are wanted here that there may not be another one.
  [[nodiscard]] Status room_for_part(std::string_view text);
  [[nodiscard]] PatternState& pattern(std::uint32_t id) const { return *patterns_.at(id); }
  // When it has no subscriber left: nobody finds it any more, and it has to leave its topics. False: it
  // stays.
  bool unwant_pattern(PatternState& state);
  // A piece of that; true: it is destroyed.
  bool leave(PatternState& state, const Budget& budget);

  // The state an update belongs to, brought up to it; null when it is old news or nobody wants it any more.
  TopicState* apply(const UpdatePtr& update);

  // After updates were left out. First makes room for the topics that a pattern wants and that are new here;
  // then brings the next topic that is not where the hub is to there, and says which it was. `place` is where
  // to look from (0 at first) and is moved on.
  void expect_all();
  struct Skip {
    TopicState* state;
    std::uint64_t seq_before;
  };
  std::optional<Skip> skip_ahead(TopicId& place);

  [[nodiscard]] TopicState& state(TopicId id) const { return *states_.at(id); }
  // All states have smaller ids.
  [[nodiscard]] TopicId id_end() const { return static_cast<TopicId>(states_.size()); }
  [[nodiscard]] TopicState* find(TopicId id) const {
    return id < states_.size() ? states_[id].get() : nullptr;
  }

  // For patterns that are behind: the first topic applied after `apply_no`, or null.
  [[nodiscard]] TopicState* next_after(std::uint64_t apply_no);
  [[nodiscard]] std::uint64_t last_apply_no() const { return changes_.last_number(); }

 private:
  // `delivered`: what was published is on its way.
  TopicState& add_state(Topic& topic, UpdatePtr last, bool delivered = true);
  using Parts = std::vector<PatternState*>;  // of one pattern
  // Calls `found` with those that are to have the topic. Nothing else makes a topic one of a pattern but
  // join(), which asks the hub for those that the same filter lets.
  template <typename Found>
  void each_pattern_of(std::string_view topic, const Found& found) const {
    pattern_index_.each_match(topic, [&](const Parts& parts) {
      for (PatternState* part : parts) {
        if (lets(part->filter, topic)) found(part);
      }
    });
  }
  static void add_to(TopicState& topic, PatternState& pattern);
  // Takes the topic out of the pattern's list; the topic's own list stays.
  static void take_out(const Membership& of);
  void drop(TopicState& state);
  void log(TopicState& state);

  Hub& hub_;
  const SinkId sink_;
  std::vector<std::unique_ptr<TopicState>> states_;  // by TopicId
  std::unordered_map<std::uint32_t, std::unique_ptr<PatternState>> patterns_;
  PatternIndex<Parts> pattern_index_;  // but for those that leave
  std::uint32_t next_pattern_id_ = 0;
  ChangeLog changes_;         // of the states that have an update
  std::uint64_t walked_ = 0;  // entries of it: four are a step
};

}  // namespace tickwire
