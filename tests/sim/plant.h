// Plant: what runs between a start and the next stop or crash: a hub and two shards, with limits so small
// that every one of them is met.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "fakes/fake_access.h"
#include "fakes/fake_clock.h"
#include "fakes/fake_offload.h"
#include "fanout/shard.h"

namespace tickwire::sim {

inline constexpr std::size_t kWriteBytesMax = 600;
inline constexpr std::size_t kInboxUpdatesMax = 25;  // now and then there are more
inline constexpr std::size_t kDeliveriesMax = 10;    // often
inline constexpr std::uint64_t kPieceStepsMin = 4;   // of one of the shards: each command takes many pieces
// Workers read all commands, and make each message in a binary format whose data has more than one field.
inline constexpr std::size_t kOnLoopBytesMax = 15;
inline const std::vector<TopicRule> kRules{
    {.pattern = "e.x.>", .delivery = Delivery::kEvent, .ring = 5, .stored = true},
    {.pattern = "v.x.>", .ring = 8, .stored = true},
    {.pattern = "e.>", .delivery = Delivery::kEvent, .ring = 5},
    {.pattern = ">", .ring = 8},
};

inline ShardConfig shard_config(std::uint32_t index, Offload& offload) {
  ShardConfig config;
  config.index = index;
  config.session.write_bytes_max = kWriteBytesMax;
  config.inbox_updates_max = kInboxUpdatesMax;
  config.deliveries_max = kDeliveriesMax;
  if (index == 0) config.piece_steps = kPieceStepsMin;
  config.offload = &offload;
  config.on_loop_bytes_max = kOnLoopBytesMax;
  return config;
}

// Forgets everything that a crash takes away.
struct Plant {
  Plant(const Clock& clock, Access& access, int epoch) : hub(clock, kRules) {
    hub.set_epoch("e" + std::to_string(epoch));
    for (std::uint32_t i = 0; i < 2; ++i) {
      shards.push_back(std::make_unique<Shard>(hub, clock, access, shard_config(i, offload), [] {}));
    }
  }

  ~Plant() { offload.end(); }
  Plant(const Plant&) = delete;
  Plant& operator=(const Plant&) = delete;

  Hub hub;
  FakeOffload offload;
  std::vector<std::unique_ptr<Shard>> shards;
};

}  // namespace tickwire::sim
