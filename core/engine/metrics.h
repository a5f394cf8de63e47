// Metrics: everything that the server counts, in the text format of Prometheus (version 0.0.4,
// https://prometheus.io/docs/instrumenting/exposition_formats/), and the list of what that is.
//
// Any thread; run() on one. Takes the locks that listing topics takes, and none that a loop holds for long.
// Cost: one look at each topic, in pieces.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/counter.h"
#include "base/work.h"
#include "bridge/plugin_states.h"
#include "engine/cluster_stats.h"
#include "engine/loop_watchdog.h"
#include "engine/memory_watch.h"
#include "fanout/shard_stats.h"
#include "hub/hub.h"
#include "store/store.h"

namespace tickwire {

// Values of the label `channel`, by name; the topics of further channels are counted as kOtherChannels.
inline constexpr std::size_t kChannelsMax = 100;
inline constexpr std::string_view kOtherChannels = "(other)";

// What Prometheus calls it: "tickwire_messages_total", "tickwire_turn_seconds".
std::string metric_name(const CounterInfo& info);

// Every counter of the server, in the order of /metrics.
std::vector<CounterInfo> all_counters();

class Metrics {
 public:
  // All outlive it; a pointer may be null.
  struct Sources {
    const Hub* hub = nullptr;
    std::vector<const ShardCounters*> shards;
    const StoreCounters* store = nullptr;                    // null: there is no store
    const LoopWatchdog* watchdog = nullptr;                  // null: not started
    const MemoryWatch* memory = nullptr;                     // the same
    std::optional<ClusterStats> cluster = {};                // nothing: the server is alone
    std::optional<std::int64_t> certificate_expires_s = {};  // nothing: there is no TLS
    std::map<std::string, PluginState> plugins;
  };
  explicit Metrics(Sources sources) : sources_(std::move(sources)) {}

  // A piece of it; the text, once, when it is whole.
  std::optional<std::string> run(const Budget& budget);

 private:
  struct Channel {
    std::uint64_t topics = 0;
    std::uint64_t stale = 0;
    std::uint64_t published = 0;
  };
  bool count_topics(const Budget& budget);
  Channel& channel_of(std::string_view topic);
  [[nodiscard]] std::string text() const;

  const Sources sources_;
  std::string place_;  // topics up to here are counted
  std::map<std::string, Channel, std::less<>> channels_;
};

}  // namespace tickwire
