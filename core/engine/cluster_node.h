// ClusterNode: this server's part in a cluster: the member (core/cluster), its two connections to Redis and
// the two threads that drive it. Without cluster.url there is none.
//
//     redis-read   follows the log, and alone applies it to the hub
//     redis-write  appends what is published here, writes the table
//
// Made before the engine starts; start() and stop() from one thread at a time, the rest from any. The hub and
// the loops outlive it. A call to the engine waits on these threads only.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "cluster/member.h"
#include "engine/cluster_stats.h"
#include "engine/config.h"
#include "fanout/shard.h"
#include "hub/hub.h"
#include "redis/redis_log.h"

namespace tickwire {

class ClusterNode final : private cluster::Plant {
 public:
  // The config has a cluster.url. The hub is not serving from now on.
  ClusterNode(const Config& config, Hub& hub, const Clock& clock);
  ~ClusterNode() override { stop(); }
  ClusterNode(const ClusterNode&) = delete;
  ClusterNode& operator=(const ClusterNode&) = delete;

  Publisher& publisher() { return member_.outbox(); }
  // kBadConfig: the engine is none that can be used. One that cannot be reached is waited for, later.
  Status check_engine();
  // The shards turn already, and outlive stop(). Returns when the hub is serving, and after cluster.loss_s in
  // any case.
  void start(std::vector<Shard*> shards);
  // What waits to be published is refused. Idempotent.
  void stop();

  // Empty: the node serves; else why not.
  [[nodiscard]] std::string_view not_ready() const;
  [[nodiscard]] ClusterStats stats() const;

 private:
  class RandomNames final : public cluster::Names {
    std::string make() override;
  };
  // Plant
  void leave() override;
  bool has_left() override;

  void wake();
  void rest(std::chrono::milliseconds time, bool until_woken);
  void run_reader(const std::stop_token& stopping);
  void run_writer(const std::stop_token& stopping);
  struct Said {
    std::string problem;
    std::int64_t at_us = 0;
  };
  void complain(const redis::RedisLog& log, Said& said);
  void log_changes();
  // All shards are asked whether they have left: they have, once all say so in one round.
  struct Round {
    std::atomic<std::size_t> answered = 0;
    std::atomic<std::size_t> left = 0;
  };

  Hub& hub_;
  const Clock& clock_;
  const std::chrono::milliseconds loss_;
  const std::string engine_;  // as people see it
  RandomNames names_;
  redis::RedisLog reads_;
  redis::RedisLog writes_;
  std::vector<Shard*> shards_;
  std::shared_ptr<Round> round_;     // redis-read's, as the next two; null: none was asked
  std::optional<std::string> said_;  // what it logged of itself
  Said said_of_reads_;
  Said said_of_writes_;  // redis-write's

  std::mutex mutex_;
  std::condition_variable_any woken_;
  bool woke_ = false;      // of mutex_
  bool stopping_ = false;  // of mutex_
  cluster::Member member_;
  std::jthread reader_;
  std::jthread writer_;
};

}  // namespace tickwire
