// TopicLookup: which of a session's subscriptions is to a topic. A flat table of places in the session's list
// (open addressing, linear probing), 4 bytes an entry and some 8 a subscription; a session with few
// subscriptions has none, since a scan of them is as quick.
//
// Plain value; loop thread of the shard. The list is handed in with each call and must be the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "session/subscription.h"

namespace tickwire {

class TopicLookup {
 public:
  using List = std::span<const Subscription>;

  [[nodiscard]] std::optional<SubscriptionIndex> find(List list, std::uint32_t topic_id) const;
  // list[index] is in use, and no other entry has its topic.
  void insert(List list, SubscriptionIndex index);
  // list[index] was inserted and still says its topic.
  void erase(List list, SubscriptionIndex index);

 private:
  static constexpr std::size_t kScannedMax = 16;

  [[nodiscard]] std::size_t home(std::uint32_t topic_id) const;
  [[nodiscard]] std::size_t next(std::size_t slot) const { return (slot + 1) & (slots_.size() - 1); }
  void put(List list, SubscriptionIndex index);
  void rebuild(List list, std::size_t slots);

  std::vector<std::uint32_t> slots_;  // index + 1, 0: free. None, or a power of two, at most 3/4 taken
  std::size_t size_ = 0;
};

}  // namespace tickwire
