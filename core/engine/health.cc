#include "engine/health.h"

#include <fmt/format.h>

#include <iterator>

#include "protocol/encode.h"

namespace tickwire {
namespace {

std::string_view status_of(const HealthFacts& facts, std::size_t standing) {
  if (facts.draining) return "draining";
  if (standing > 0) return "stalled";
  const bool apart = facts.cluster && (facts.cluster->cut_off || !facts.cluster->serves);
  return apart || facts.store.state == StoreState::kDegraded ? "degraded" : "ok";
}

std::string loops_json(const LoopWatchdog* watchdog) {
  std::string text = "[";
  if (watchdog == nullptr) return "[]";
  for (const LoopWatch& loop : watchdog->loops()) {
    fmt::format_to(std::back_inserter(text), R"({}{{"turning":{},"at":"{}","stood_ms":{}}})",
                   text.size() > 1 ? "," : "", !loop.standing(), name_of(loop.activity()),
                   loop.standing() ? loop.stood().count() : 0);
  }
  return text += "]";
}

// For everybody: no names.
std::string cluster_json(const ClusterStats& cluster, HealthDetail detail) {
  std::string text = fmt::format(R"(,"cluster":{{"state":"{}","cut_off":{},"position":{},"head":{})",
                                 cluster.state, cluster.cut_off, cluster.position, cluster.head);
  if (detail == HealthDetail::kAll) {
    fmt::format_to(std::back_inserter(text),
                   R"(,"node":{},"engine":{},"outbox_bytes":{},"reloads":{},"seeds":{},"fenced":{})",
                   quote_json(cluster.node), quote_json(cluster.engine), cluster.outbox_bytes,
                   cluster.reloads, cluster.seeds, cluster.fenced);
  }
  return text += '}';
}

}  // namespace

HealthAnswer describe_health(const HealthFacts& facts, HealthDetail detail) {
  const std::size_t standing = facts.watchdog == nullptr ? 0 : facts.watchdog->standing();
  HealthAnswer answer{!facts.draining && standing == 0, {}};
  answer.json = fmt::format(
      R"({{"status":"{}","epoch":"{}","server":"{}","ts":{},"topics":{},"sessions":{},"stale":{},"overruns":{},)"
      R"("store":"{}")",
      status_of(facts, standing), facts.epoch, facts.server, facts.ts, facts.topics, facts.shards.sessions,
      facts.stale, facts.shards.overruns, name_of(facts.store.state));
  if (facts.cluster) answer.json += cluster_json(*facts.cluster, detail);
  if (detail == HealthDetail::kAll) {
    answer.json += fmt::format(
        R"(,"address":{},"store_stats":{{"flushes":{},"rows":{},"failures":{}}},"loops":{},"plugins":{})",
        quote_json(facts.address), facts.store.flushes, facts.store.rows, facts.store.failures,
        loops_json(facts.watchdog), facts.plugins);
    if (facts.certificate_expires_s != 0)
      answer.json += fmt::format(R"(,"certificate_expires":{})", facts.certificate_expires_s);
  }
  answer.json += '}';
  return answer;
}

}  // namespace tickwire
