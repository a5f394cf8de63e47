// Engine: one whole server in a process: owns the clock, hub, bridge, store and loops, and starts and stops
// them in order. The daemon and the Python module are two doors to this class.
//
// Thread: create, start, stop and the destructor from one thread at a time; the accessors from any, between
// start() and stop() for what start makes. Signals belong to the two mains.
// Start: store opened -> images restored -> loops and admin listener bound -> store, watchdog, housekeeping
// and loops run -> a cluster is joined. What fails halfway is undone before start() returns. Stop: within
// server.drain_s loops stop accepting and tell their clients -> loops end -> workers and housekeeping end ->
// the store writes what is left and marks a clean stop.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "access/revocations.h"
#include "access/token_verifier.h"
#include "base/error.h"
#include "base/mutex.h"
#include "bridge/bridge.h"
#include "engine/admin_door.h"
#include "engine/cluster_node.h"
#include "engine/config.h"
#include "engine/housekeeping.h"
#include "engine/key_fetcher.h"
#include "engine/loop_watchdog.h"
#include "engine/refusal_log.h"
#include "engine/session_ender.h"
#include "engine/system_clock.h"
#include "engine/tls_files.h"
#include "engine/worker_pool.h"
#include "fanout/shard.h"
#include "hub/hub.h"
#include "net/http_source.h"
#include "net/loop.h"
#include "store/store.h"

namespace tickwire {

class Engine final : public HttpSource {
 public:
  // kBadConfig. Also sends the process' log to standard error, as log.level says.
  static Result<std::unique_ptr<Engine>> create(Config config);
  ~Engine() override;  // stops
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // kStore*, kListen. Once in an engine's life.
  Status start();
  // Idempotent; returns when every thread has ended. What start() made may be looked at until the destructor.
  void stop();

  // Takes over what can change while it runs (log.level, topics.*, and auth.jwt.* and the TLS certificate and
  // key, whose files are read again in any case) and logs what cannot. Any thread.
  void reload(const Config& fresh);

  // As it was started.
  [[nodiscard]] const Config& config() const { return config_; }
  Hub& hub() { return hub_; }
  // Where everything that is published goes.
  Publisher& publisher() { return cluster_ ? cluster_->publisher() : hub_; }
  Bridge& bridge() { return bridge_; }
  // After start(): the first loop's, for in-process subscribers.
  Shard& shard();
  // After start(): the first of server.listen, as in "127.0.0.1:8080", with the real port.
  [[nodiscard]] std::string address() const;
  // After start(): all of them, as in "https://127.0.0.1:8443".
  [[nodiscard]] std::vector<std::string> urls() const;
  // After start(): names this unbroken history of sequence numbers; empty: the cluster is not joined yet.
  [[nodiscard]] std::string epoch() const { return hub_.epoch(); }
  // After start(): the path of the admin listener's socket, or host:port; empty: there is none.
  [[nodiscard]] const std::string& admin_address() const { return admin_.address(); }
  // What GET /health of the admin listener answers.
  [[nodiscard]] std::string health_json() const { return health(HealthDetail::kAll).json; }
  [[nodiscard]] HealthAnswer health(HealthDetail detail) const override;
  [[nodiscard]] TextInPieces metrics() const override;
  [[nodiscard]] bool serves() const override { return started_ && !stopped_; }
  // After start(): false while a loop stands still, so that its clients get nothing.
  [[nodiscard]] bool loops_turn() const { return watchdog_->standing() == 0; }
  [[nodiscard]] std::string_view not_ready() const override;
  void list_sessions(const SessionsQuery& query, std::function<void(std::string)> done) override;
  // engine_admin.cc. Each action is in the audit log, with who asked for it.
  void act(const AdminAction& action, const AdminActor& by, AdminDone done) override;
  [[nodiscard]] std::string halts() const override;
  void note_refused(const AdminActor& by, std::string_view request) override;
  // The same for the program that the server runs in, which waits for the answer. Not on a loop thread.
  // kDraining: the server does not run.
  Result<std::string> act(const AdminAction& action);

 private:
  Engine(Config config, std::vector<ListenAddress> listen, std::unique_ptr<TlsFiles> tls,
         std::optional<TokenRules> tokens);
  Status open_store();
  Status open_and_restore();
  Status open_loops();
  Status open_admin();
  void run_loops();
  void join_cluster();
  void reload_tokens() REQUIRES(reload_mutex_);
  void set_log_level(LogLevel level);
  [[nodiscard]] SessionEnder::Shards shards() const;
  void drain_loops(Shard::Drained whom);
  void perform(const Revoke& wanted, const AdminActor& by, AdminDone done);
  void perform(const Disconnect& wanted, const AdminActor& by, AdminDone done);
  void perform(const SetLogLevel& wanted, const AdminActor& by, const AdminDone& done);
  void perform(const Drain& wanted, const AdminActor& by, const AdminDone& done);
  void perform(const RestartPlugin& wanted, const AdminActor& by, const AdminDone& done);
  void perform(const HaltTopic& wanted, const AdminActor& by, AdminDone done);
  void perform(const EndHalt& wanted, const AdminActor& by, AdminDone done);
  void finish_halt(const AdminActor& by, std::string what, std::string json, AdminDone done);
  [[nodiscard]] ShardConfig shard_config(std::uint32_t index);
  [[nodiscard]] NetConfig net_config();

  // In the order in which each needs those before it.
  const Config config_;
  const SystemClock clock_;
  Hub hub_;
  const std::unique_ptr<ClusterNode> cluster_;  // null: the server is alone
  Bridge bridge_;

  Revocations revocations_;
  PublishOnce once_;
  const std::unique_ptr<TlsFiles> tls_;          // null: no address is https://
  const std::unique_ptr<TokenVerifier> tokens_;  // null: auth.jwt has no keys
  KeyFetcher key_fetcher_;

  // Made by start():
  std::vector<ListenAddress> listen_;  // with the real ports
  SharedRates shared_rates_;
  ConnectionGate gate_;
  std::unique_ptr<Store> store_;
  std::optional<SessionEnder> session_ender_;
  WorkerPool workers_;  // before loops_, which use it; stopped once their threads have ended
  std::vector<std::unique_ptr<Loop>> loops_;
  AdminDoor admin_;
  RefusalLog refusals_;  // of the admin listener
  std::optional<Housekeeping> housekeeping_;
  std::optional<LoopWatchdog> watchdog_;

  Mutex reload_mutex_;
  std::map<std::string, std::string> settings_ GUARDED_BY(reload_mutex_);  // in force, by key
  Config token_config_ GUARDED_BY(reload_mutex_);                          // whose auth.jwt is in force

  std::atomic<bool> started_ = false;  // others may look at what start() made
  std::atomic<bool> stopped_ = false;  // stop() was called
  std::atomic<bool> drained_ = false;  // an admin said drain
};

}  // namespace tickwire
