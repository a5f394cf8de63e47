// health_json: how a server is, as one JSON object: for everybody (counts and states, no names), or for its
// admin (with plugins, loops and the store's numbers). Any thread; takes no lock that a loop holds for long.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "engine/cluster_stats.h"
#include "engine/loop_watchdog.h"
#include "fanout/shard_stats.h"
#include "net/http_source.h"
#include "store/store.h"

namespace tickwire {

struct HealthFacts {
  bool draining = false;
  std::string_view epoch;
  std::string_view server;
  std::int64_t ts = 0;  // the server's Unix time in milliseconds
  std::string_view address;
  std::size_t topics = 0;
  std::size_t stale = 0;
  ShardStats shards;                       // the sum of all
  std::int64_t certificate_expires_s = 0;  // Unix time; 0: no TLS
  StoreStats store;
  std::optional<ClusterStats> cluster = {};  // nothing: the server is alone
  std::string plugins = "{}";                // JSON, of the admin's health
  const LoopWatchdog* watchdog = nullptr;    // null: not started
};

HealthAnswer describe_health(const HealthFacts& facts, HealthDetail detail);

}  // namespace tickwire
