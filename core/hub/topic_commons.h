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
#include "hub/halt_list.h"
#include "hub/sinks.h"
#include "hub/watch_list.h"

namespace tickwire {

// What the plant may hold; beyond it new topics and patterns, and images that grow, are refused (kTooMany).
struct HubLimits {
  std::size_t topics_max = 1'000'000;
  std::size_t patterns_max = 100'000;  // different ones, of all sessions
  std::size_t image_bytes_max = std::size_t{4} << 30U;
};

struct TopicCommons {
  const Clock& clock;
  const std::size_t ring_bytes_max;  // of all rings of value topics together
  // A topic that its feed is not asked for, and did not update for so long, becomes stale.
  const std::int64_t linger_us;
  const HubLimits limits = {};

  Demand demand = {};
  Sinks sinks = {};
  DirtyList dirty = {};
  WatchList watched = {};
  HaltList halts = {};
  std::atomic<std::size_t> topic_count = 0;
  std::atomic<std::size_t> pattern_count = 0;
  std::atomic<std::int64_t> stale_count = 0;
  std::atomic<std::int64_t> image_bytes = 0;  // of all topics
  std::atomic<std::uint64_t> withheld = 0;    // updates of topics that were halted
  std::atomic<bool> memory_full = false;      // the process is past its soft limit
  std::atomic<std::uint32_t> epoch_no = 0;    // epochs so far; changes while nobody publishes

  // Bytes by which images may still grow.
  [[nodiscard]] std::size_t image_room() const {
    const auto held = static_cast<std::size_t>(std::max<std::int64_t>(image_bytes, 0));
    return held < limits.image_bytes_max ? limits.image_bytes_max - held : 0;
  }

  // Bytes that the ring of one value topic may hold.
  [[nodiscard]] std::size_t ring_share() const {
    return ring_bytes_max / std::max<std::size_t>(topic_count, 1);
  }
};

}  // namespace tickwire
