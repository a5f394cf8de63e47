// UpdateSink: who registers interest with the hub (a shard's inbox, mostly).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "hub/update.h"

namespace tickwire {

class UpdateSink {
 public:
  virtual ~UpdateSink() = default;
  // Called on the publishing thread, under the topic's lock, in the order of seq: must only take the
  // reference and return, and may not call the hub.
  virtual void deliver(const UpdatePtr& update) = 0;
  // The hub's epoch from here on: the updates that come after it belong to it. Called like deliver(). True:
  // Hub::epoch_reached will be called once, when what came before it is done with.
  virtual bool deliver_epoch(const std::string& /*epoch*/) { return false; }
};

// Names a registered sink. A topic keeps its interested sinks as bits of one word.
using SinkId = std::uint32_t;
inline constexpr std::size_t kSinksMax = 64;

}  // namespace tickwire
