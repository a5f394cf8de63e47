// TopicCommons: what all topics of one hub share, and reach for while their own lock is held: where their
// updates go, and the lists in which they wait for the store and for time.
//
// Any thread; each part has a lock of its own, which is a leaf, or none. Owned by the hub; the topics and
// what is passed in by reference must not outlive it.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/clock.h"
#include "hub/demand.h"
#include "hub/dirty_list.h"
#include "hub/sinks.h"
#include "hub/watch_list.h"

namespace tickwire {

struct TopicCommons {
  const Clock& clock;
  const std::size_t ring_bytes_max;  // of all rings of value topics together
  // A topic that its feed is not asked for, and did not update for so long, becomes stale.
  const std::int64_t linger_us;

  Demand demand = {};
  Sinks sinks = {};
  DirtyList dirty = {};
  WatchList watched = {};
  std::atomic<std::size_t> topic_count = 0;
  std::atomic<std::int64_t> stale_count = 0;

  // Bytes that the ring of one value topic may hold.
  [[nodiscard]] std::size_t ring_share() const {
    return ring_bytes_max / std::max<std::size_t>(topic_count, 1);
  }
};

}  // namespace tickwire
