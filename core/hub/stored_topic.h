// What the store keeps of a topic, and what it has yet to write. Plain values; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hub/update.h"
#include "model/halt.h"
#include "model/topic_kind.h"

namespace tickwire {

// What the store has yet to write of a topic.
struct Dirty {
  UpdatePtr last;
  std::vector<UpdatePtr> events;            // of a stored ring: those since the last time, in order
  std::uint64_t first_kept = 0;             // of it: what came before is gone
  std::optional<Delivery> declared = {};    // by its feed
  TopicStatus status = TopicStatus::kLive;  // where an operator holds it: that beneath
};

// What the store kept of a topic.
struct StoredTopic {
  std::string topic;
  std::uint64_t seq = 0;
  std::int64_t ts = 0;  // server Unix time, ms
  TopicStatus status = TopicStatus::kLive;
  std::string image;
  std::optional<Delivery> declared = {};  // by its feed
  HaltPtr halt = {};                      // an operator's; `status` is that beneath
};

// An event as the store kept it, or an update as the log of a cluster did.
struct StoredEvent {
  std::uint64_t seq = 0;
  std::int64_t ts = 0;
  std::string data;
};

// A topic as a cluster's checkpoint and log have it.
struct AdoptedTopic {
  StoredTopic topic;
  std::vector<StoredEvent> ring;  // the last of them is the topic's last update
  // Its seq at which the next epoch that the hub is given begins, where it is past that already.
  std::optional<std::uint64_t> next_epoch_began = {};
};

}  // namespace tickwire
