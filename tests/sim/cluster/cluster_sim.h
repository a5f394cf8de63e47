// ClusterSim: three nodes, each a hub with two shards, on one engine, and clients that hop between them,
// under one seeded scheduler: everything that the engine and the way to it can do to a node is done at any
// step.
//
// One thread. The same seed does the same steps, under the same hash key (model/keyed_hash.h).
#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "cluster/member.h"
#include "connection.h"
#include "engine.h"
#include "fakes/fake_access.h"
#include "fakes/fake_clock.h"
#include "fakes/fake_offload.h"
#include "fanout/shard.h"
#include "history.h"
#include "hopper.h"
#include "sim_socket.h"

namespace tickwire::sim {

struct Faults {
  Guards guards;
  cluster::Unguarded unguarded;
};

struct ClusterTotals {
  std::uint64_t messages = 0, snapshots = 0, gaps = 0, recovered = 0, lost = 0, epochs = 0;
  std::uint64_t published = 0, taken = 0, refused = 0;
  std::uint64_t reloads = 0, seeds = 0, fenced = 0, tails = 0, failovers = 0, crashes = 0, hops = 0;
};

class ClusterSim {
 public:
  explicit ClusterSim(std::uint64_t seed, const Faults& faults = {});
  ~ClusterSim();
  ClusterSim(const ClusterSim&) = delete;
  ClusterSim& operator=(const ClusterSim&) = delete;

  // Throws Violation.
  void step();
  // Lets all faults end. Then all nodes hold the same, and every client knows it.
  void settle();
  [[nodiscard]] ClusterTotals totals() const;

 private:
  class Node;
  struct Peer;
  class Ids final : public cluster::Names {
   public:
    std::string make() override { return "x" + std::to_string(++made_); }

   private:
    std::uint64_t made_ = 0;
  };

  std::size_t pick(std::size_t n) { return static_cast<std::size_t>(random_() % n); }
  Node& node() { return *nodes_[pick(nodes_.size())]; }
  void publish();
  void run_node(Node& node);
  void trouble();
  void fail_over(bool lossy);
  void crash();
  void hop(Peer& peer, Node& to);
  void listen(Peer& peer);
  void leave(Peer& peer);
  void others(const Node& busy);
  void check_rest();
  [[nodiscard]] std::string describe() const;

  std::mt19937_64 random_;
  const Faults faults_;
  FakeClock clock_;
  FakeAccess access_;
  Ids ids_;
  History history_;
  std::shared_ptr<Engine> primary_;
  Engine::State replica_;
  int engines_ = 0;
  Connection::Late late_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::vector<std::unique_ptr<Peer>> peers_;
  bool nested_ = false;
  std::uint64_t next_id_ = 0;
  std::uint64_t answered_ = 0;
  ClusterTotals totals_;
};

}  // namespace tickwire::sim
