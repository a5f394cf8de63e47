// What the parts of one shard share. Loop thread, except the counters and the pulse, which any thread may
// read.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/loop_pulse.h"
#include "base/shares.h"
#include "fanout/access.h"
#include "fanout/dues.h"
#include "fanout/jobs.h"
#include "fanout/session_table.h"
#include "fanout/shard_config.h"
#include "fanout/shard_stats.h"
#include "fanout/topic_table.h"
#include "session/session.h"

namespace tickwire {

struct ShardParts {
  ShardParts(Hub& hub, const Clock& clock, Access& access, ShardConfig config, SinkId sink)
      : hub(hub),
        clock(clock),
        access(access),
        config(std::move(config)),
        publisher(this->config.publisher == nullptr ? static_cast<Publisher&>(hub) : *this->config.publisher),
        epoch(hub.epoch()),
        waiting_bytes(this->config.waiting_bytes,
                      {Limit::kWaiting, Limit::kWaitingPerAddress, Limit::kWaitingPerSession}),
        outbox_bytes(this->config.outbox_bytes,
                     {Limit::kOutbox, Limit::kOutboxPerAddress, Limit::kOutboxPerSession}),
        topics(hub, sink),
        dues(clock, sessions),
        jobs(this->config.piece_steps) {}

  // Returns for whom a worker works when it does something for the session: its address, or, where no limit
  // counts that (many clients may stand behind a proxy there), the session.
  [[nodiscard]] Offload::Asker asker_of(SessionRef ref) const {
    const Session* session = sessions.find(ref);
    const PeerAddress address = session == nullptr ? PeerAddress{} : session->client.address;
    return address.exempt() ? Offload::Asker{ref.slot} + 1 : address.key;
  }

  Hub& hub;
  const Clock& clock;
  Access& access;
  const ShardConfig config;
  Publisher& publisher;
  std::string epoch;                                // of the updates that were applied last
  std::uint32_t epoch_no = 0;                       // of the shard
  Shares waiting_bytes;                             // before sessions, which hold some
  Shares outbox_bytes;                              // the same
  std::function<bool(std::function<void()>)> post;  // Shard::post; any thread
  TopicTable topics;
  SessionTable sessions;
  Dues dues;
  ShardCounters counters;
  Jobs jobs;
  std::uint64_t runs = 0;    // of the shard
  std::uint64_t guards = 0;  // that were loaded while it ran
  LoopPulse pulse;
};

}  // namespace tickwire
