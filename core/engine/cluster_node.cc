#include "engine/cluster_node.h"

#include <fmt/format.h>
#include <pthread.h>
#include <spdlog/spdlog.h>

#include <array>
#include <chrono>
#include <utility>

#include "base/fault.h"
#include "engine/cluster_keys.h"
#include "store/epoch.h"

namespace tickwire {
namespace {

using std::chrono::milliseconds;

// While nothing can be done without the engine, or without the loops.
constexpr milliseconds kRetry{50};
// Between two looks of a thread that has nothing to do: the table is due from time to time.
constexpr milliseconds kIdle{100};
constexpr milliseconds kTurn{1};
constexpr std::int64_t kSaidAgainUs = 60'000'000;

constexpr std::array<std::string_view, 4> kStateNames{"loading", "reaching", "following", "leaving"};

}  // namespace

ClusterNode::ClusterNode(const Config& config, Hub& hub, const Clock& clock)
    : hub_(hub),
      clock_(clock),
      loss_(config.cluster_loss),
      engine_(cluster_url(config).text()),
      reads_(cluster_url(config), config.cluster_name, loss_),
      writes_(cluster_url(config), config.cluster_name, loss_),
      member_(hub, clock, names_, *this, [this] { wake(); }, cluster_rules(config)) {}

std::string ClusterNode::RandomNames::make() {
  return new_epoch();
}

Status ClusterNode::check_engine() {
  Status opened = reads_.open();
  if (opened || opened.error().code == ErrorCode::kBadConfig) return opened;
  spdlog::warn("{}; it is tried again, and nobody is served until it answers", opened.error().message);
  return ok_status();
}

void ClusterNode::start(std::vector<Shard*> shards) {
  shards_ = std::move(shards);
  reader_ = std::jthread([this](const std::stop_token& stopping) { run_reader(stopping); });
  writer_ = std::jthread([this](const std::stop_token& stopping) { run_writer(stopping); });
  const auto until = std::chrono::steady_clock::now() + loss_;
  while (!hub_.serving() && std::chrono::steady_clock::now() < until) std::this_thread::sleep_for(kTurn);
}

void ClusterNode::stop() {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(stopping_, true)) return;
  }
  woken_.notify_all();
  reads_.end();
  writes_.end();
  for (std::jthread* const thread : {&reader_, &writer_}) {
    thread->request_stop();
    if (thread->joinable()) thread->join();
  }
  member_.outbox().set_reachable(false);
  member_.outbox().set_node("");  // nobody knows what became of what is on its way
  member_.outbox().drop_waiting();
}

// --- the threads ----------------------------------------------------------------------------------------

void ClusterNode::wake() {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(woke_, true)) return;
  }
  woken_.notify_all();
}

void ClusterNode::rest(milliseconds time, bool until_woken) {
  std::unique_lock lock(mutex_);
  woken_.wait_for(lock, time, [&] { return stopping_ || (until_woken && woke_); });
  if (until_woken) woke_ = false;
}

void ClusterNode::run_reader(const std::stop_token& stopping) {
  pthread_setname_np(pthread_self(), "redis-read");
  while (!stopping.stop_requested()) {
    bool did = false;
    contained(Boundary::kHousekeeping, "following the cluster's log",
              [&] { did = member_.follow(reads_, reads_); });
    complain(reads_, said_of_reads_);
    log_changes();
    // A read of a log in which nothing is new has waited already.
    const bool waited = reads_.connected() && member_.state() == cluster::Member::State::kFollowing;
    if (!did) rest(waited ? kTurn : kRetry, false);
  }
}

void ClusterNode::run_writer(const std::stop_token& stopping) {
  pthread_setname_np(pthread_self(), "redis-write");
  while (!stopping.stop_requested()) {
    bool did = false;
    contained(Boundary::kHousekeeping, "writing the cluster's log",
              [&] { did = member_.write(writes_, writes_); });
    complain(writes_, said_of_writes_);
    if (!did) rest(writes_.connected() ? kIdle : kRetry, writes_.connected());
  }
}

// What stays as it is, is said again after a while only.
void ClusterNode::complain(const redis::RedisLog& log, Said& said) {
  const std::int64_t now = clock_.steady_us();
  const std::string& problem = log.problem();
  if (problem.empty() || (problem == said.problem && now - said.at_us < kSaidAgainUs)) return;
  said = {problem, now};
  spdlog::warn("cluster: {}", problem);
}

void ClusterNode::log_changes() {
  std::string now(not_ready());
  if (said_ == now) return;
  if (now.empty()) {
    spdlog::info("cluster: node {} serves, at entry {} of {}", member_.node(), member_.position(), engine_);
  } else if (said_ || now == "cut_off") {
    spdlog::warn("cluster: not serving: {}", now);
  }
  said_ = std::move(now);
}

// --- the clients ----------------------------------------------------------------------------------------

void ClusterNode::leave() {
  spdlog::warn("cluster: the log went on without what this node has; clients are told to come back");
  for (Shard* const shard : shards_) shard->post([shard] { shard->leave(); });
  round_ = nullptr;
}

bool ClusterNode::has_left() {
  if (round_ != nullptr) {
    if (round_->answered < shards_.size()) return false;
    if (round_->left == shards_.size()) return true;
  }
  round_ = std::make_shared<Round>();
  for (Shard* const shard : shards_) {
    shard->post([shard, round = round_] {
      if (shard->has_left()) ++round->left;
      ++round->answered;
    });
  }
  return false;
}

// --- what it says of itself -----------------------------------------------------------------------------

std::string_view ClusterNode::not_ready() const {
  if (!hub_.serving()) return "joining";
  return member_.cut_off() ? "cut_off" : "";
}

ClusterStats ClusterNode::stats() const {
  ClusterStats stats;
  stats.state = kStateNames.at(static_cast<std::size_t>(member_.state()));
  stats.serves = hub_.serving();
  stats.cut_off = member_.cut_off();
  stats.node = member_.node();
  stats.engine = engine_;
  stats.position = member_.position();
  stats.head = member_.head();
  stats.outbox_bytes = member_.outbox().bytes();
  stats.reloads = member_.reloads();
  stats.seeds = member_.seeds();
  stats.fenced = member_.fenced();
  return stats;
}

}  // namespace tickwire
