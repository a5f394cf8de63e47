// LargeForms: messages that are too large to be transcoded on the loop (MessagePack and CBOR are made from
// the JSON, which takes some 40 ns a byte). A worker makes them; until then the subscription that needs one
// is behind, and nobody else waits.
//
//   is_ready() ── in JSON, small, or made ──> sent
//        └─> await() ──> made by a worker ──> those who wait are due, and it can be sent
//
// A form belongs to one update, and a topic may have changed once it is made. So it is kept until those who
// waited had their turn: a topic that changes more quickly than forms are made is shown as it was a moment
// ago, again and again, and not never.
//
// Loop thread. The forms themselves are kept in their updates (fanout/forms.h), for all shards.
#pragma once

#include <compare>
#include <cstdint>
#include <deque>
#include <map>
#include <vector>

#include "fanout/shard_parts.h"
#include "hub/update.h"
#include "protocol/format.h"

namespace tickwire {

class LargeForms {
 public:
  explicit LargeForms(ShardParts& parts) : parts_(parts) {}

  // The `update` message, or that of the snapshot, may be put into a write now.
  [[nodiscard]] bool update_ready(const Session& session, const Update& update) const;
  [[nodiscard]] bool snapshot_ready(const Session& session, const Update& update) const;
  // It may not: makes the subscription due once it can be sent.
  void await_update(Session& session, SubscriptionIndex index, const UpdatePtr& update);
  void await_snapshot(Session& session, SubscriptionIndex index, const UpdatePtr& update);
  // What was awaited and is made. Null: nothing was.
  [[nodiscard]] UpdatePtr made_update(const Session& session, const TopicState& state,
                                      std::uint64_t seq) const;
  [[nodiscard]] UpdatePtr made_snapshot(const Session& session, const TopicState& state) const;

 private:
  struct Key {
    TopicId topic_id = 0;
    std::uint64_t seq = 0;  // of an `update` message; 0: the snapshot
    Format format = Format::kMsgpack;
    auto operator<=>(const Key&) const = default;
  };
  struct Waiter {
    SessionRef session;
    SubscriptionIndex index = 0;
  };
  struct Making {
    UpdatePtr update;
    bool made = false;
    std::vector<Waiter> waiters;
  };

  struct Made {
    Key key;
    UpdatePtr update;
    std::uint64_t run = 0;  // of the shard, in which it came
  };

  [[nodiscard]] bool may_be_large(const Session& session, std::size_t bytes) const;
  void await(Session& session, SubscriptionIndex index, const UpdatePtr& update, const Key& key);
  void on_made(const Key& key, const UpdatePtr& update, bool made);
  // Drops those that were kept long enough. True: none is left.
  bool forget_made(const Budget& budget);
  [[nodiscard]] UpdatePtr made(const Key& key) const;

  ShardParts& parts_;
  std::map<Key, Making> making_;
  std::deque<Made> made_;  // of making_, the oldest first
};

}  // namespace tickwire
