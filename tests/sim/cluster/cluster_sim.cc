#include "cluster_sim.h"

#include <algorithm>
#include <utility>

namespace tickwire::sim {
namespace {

constexpr int kNodes = 3;
constexpr int kPeers = 6;
constexpr int kClusterTopics = 6;
constexpr int kRestMax = 4'000;
const std::vector<TopicRule> kClusterRules{{.pattern = "e.>", .delivery = Delivery::kEvent, .ring = 6},
                                           {.pattern = ">", .ring = 6}};

std::string cluster_topic(std::size_t nth) {
  return (nth < 3 ? "v." : "e.") + std::to_string(nth % 3);
}

}  // namespace

// Hears what a node's hub says, and holds it against what the others have said.
class Witness final : public UpdateSink {
 public:
  Witness(Hub& hub, History& history) : hub_(hub), history_(history) {
    id_ = hub.add_sink(*this);
    hub.add_pattern_interest(id_, *Pattern::parse(">"));
  }
  ~Witness() override { hub_.remove_sink(id_); }
  Witness(const Witness&) = delete;
  Witness& operator=(const Witness&) = delete;

  void deliver(const UpdatePtr& update) override {
    if (!hub_.serving()) return;  // the ring is behind; see all()
    const std::string& topic = update->topic().name;
    history_.image(epoch, topic, update->seq(), update->image());
    if (!update->status_only()) history_.data(epoch, topic, update->seq(), update->data());
  }
  bool deliver_epoch(const std::string& name) override {
    epoch = name;
    return false;
  }
  // What the hub holds, after it was loaded.
  void all() {
    std::string after;
    for (auto run = hub_.topics_after(after); !run.empty(); run = hub_.topics_after(after)) {
      for (const TopicPtr& topic : run) {
        const UpdatePtr last = topic->last();
        if (!last) continue;
        history_.image(epoch, topic->name, last->seq(), last->image());
        for (const UpdatePtr& kept : topic->ring_between(1, last->seq()))
          history_.data(epoch, topic->name, kept->seq(), kept->data());
      }
    }
  }

  std::string epoch;

 private:
  Hub& hub_;
  History& history_;
  SinkId id_ = 0;
};

class ClusterSim::Node final : public cluster::Plant {
 public:
  explicit Node(ClusterSim& sim)
      : reads(sim.random_, sim.late_, [this, &sim] { sim.others(*this); }),
        writes(sim.random_, sim.late_, [this, &sim] { sim.others(*this); }),
        hub(sim.clock_, kClusterRules),
        member(
            hub, sim.clock_, sim.ids_, *this, [] {}, rules(sim)),
        witness(hub, sim.history_) {
    reads.reach(sim.primary_);
    writes.reach(sim.primary_);
    for (std::uint32_t i = 0; i < 2; ++i) {
      ShardConfig config;
      config.index = i;
      config.session.write_bytes_max = 600;
      config.offload = &offload;
      config.publisher = &member.outbox();
      shards.push_back(std::make_unique<Shard>(hub, sim.clock_, sim.access_, config, [] {}));
    }
  }
  ~Node() override { offload.end(); }
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  static cluster::MemberRules rules(const ClusterSim& sim) {
    cluster::MemberRules rules;
    rules.checkpoint = {.every_us = 300'000, .log_us = 1'000'000, .log_bytes = 2'000};
    rules.unguarded = sim.faults_.unguarded;
    return rules;
  }
  void leave() override {
    for (const auto& shard : shards) shard->leave();
  }
  bool has_left() override {
    return std::ranges::all_of(shards, [](const auto& shard) { return shard->has_left(); });
  }
  void follow() {
    const bool served = hub.serving();
    member.follow(reads, reads);
    if (!served && hub.serving()) witness.all();
  }
  bool run_shards() {
    offload.run_one();
    bool owe = offload.waiting() > 0;
    for (const auto& shard : shards) owe = shard->run() >= 0 || owe;
    return owe;
  }

  Connection reads;
  Connection writes;
  Hub hub;
  FakeOffload offload;
  cluster::Member member;
  Witness witness;
  std::vector<std::unique_ptr<Shard>> shards;
};

struct ClusterSim::Peer {
  explicit Peer(std::vector<std::string> topics) : hopper(std::move(topics)) {}
  Hopper hopper;
  std::unique_ptr<SimSocket> socket;
  Node* at = nullptr;
  Shard* shard = nullptr;
  Session* session = nullptr;
};

ClusterSim::ClusterSim(std::uint64_t seed, const Faults& faults) : random_(seed), faults_(faults) {
  access_.publish = true;
  primary_ = std::make_shared<Engine>("t0", Engine::State{}, faults_.guards);
  for (int i = 0; i < kNodes; ++i) nodes_.push_back(std::make_unique<Node>(*this));
  for (std::size_t i = 0; i < kPeers; ++i) {
    std::vector<std::string> topics;
    if (i % 3 == 2) topics = {"v.*", "e.*"};
    for (std::size_t t = 0; t < kClusterTopics && i % 3 != 2; ++t) topics.push_back(cluster_topic(t));
    peers_.push_back(std::make_unique<Peer>(topics));
  }
}

ClusterSim::~ClusterSim() {
  for (const auto& peer : peers_) {
    if (peer->session != nullptr) peer->shard->on_closed(*peer->session);
  }
}

// --- what happens ---------------------------------------------------------------------------------------

void ClusterSim::step() {
  const std::size_t what = pick(100);
  if (what < 25) {
    publish();
  } else if (what < 75) {
    run_node(node());
  } else if (what < 90) {
    Peer& peer = *peers_[pick(peers_.size())];
    if (peer.session == nullptr || pick(12) == 0) {
      hop(peer, node());
    } else if (pick(6) == 0) {
      peer.socket->block_next = !peer.socket->block_next;
    } else {
      listen(peer);
    }
  } else if (what < 97) {
    clock_.advance_ms(static_cast<std::int64_t>(pick(60)));
    primary_->now_ms = clock_.wall_ms();
    if (pick(3) == 0) replica_ = primary_->state;
  } else {
    trouble();
  }
}

void ClusterSim::publish() {
  Node& node = this->node();
  const std::string data = R"({"f)" + std::to_string(pick(3)) + R"(":)" + std::to_string(++next_id_) + "}";
  ++totals_.published;
  const auto done = [this, called = std::make_shared<bool>(false)](const Publisher::Outcome& outcome) {
    if (std::exchange(*called, true)) throw Violation("an update was answered twice");
    ++answered_;
    ++(outcome ? totals_.taken : totals_.refused);
  };
  static_cast<void>(node.member.outbox().publish(cluster_topic(pick(kClusterTopics)), data, 0, done));
}

void ClusterSim::run_node(Node& node) {
  switch (pick(3)) {
    case 0:
      node.follow();
      break;
    case 1:
      node.member.write(node.writes, node.writes);
      break;
    default:
      node.run_shards();
  }
}

// What other nodes do while one is in the middle of something.
void ClusterSim::others(const Node& busy) {
  if (nested_ || pick(3) > 0) return;
  Node& other = node();
  if (&other == &busy) return;
  nested_ = true;
  other.member.write(other.writes, other.writes);
  nested_ = false;
}

void ClusterSim::trouble() {
  Node& node = this->node();
  switch (pick(12)) {
    case 0:
      fail_over(pick(3) > 0);
      break;
    case 1:  // FLUSHALL, or a restart that kept nothing
      if (pick(4) == 0) primary_->state = {};
      break;
    case 2:
      if (pick(4) == 0)
        primary_ =
            std::make_shared<Engine>("t" + std::to_string(++engines_), Engine::State{}, faults_.guards);
      break;
    case 3:
    case 4:
      node.reads.faults = node.writes.faults = static_cast<int>(pick(2) * pick(60));
      break;
    case 5:
      node.reads.reach(nullptr);
      node.writes.reach(nullptr);
      break;
    case 6:
      clock_.advance_ms(1'500);  // long enough for some to be cut off
      break;
    case 7:
      if (pick(3) == 0) crash();
      break;
    case 8:
      if (pick(3) == 0) primary_->trim(UINT64_MAX);
      break;
    case 9:
      for (; !late_.empty(); late_.pop_back()) late_.back()();
      break;
    default:
      node.reads.reach(primary_);
      if (pick(2) == 0) node.writes.reach(primary_);
  }
}

// Those who are connected stay with the engine that was, until they notice.
void ClusterSim::fail_over(bool lossy) {
  ++totals_.failovers;
  if (!lossy) replica_ = primary_->state;
  if (replica_.head.n < primary_->state.head.n) ++totals_.tails;
  primary_ = std::make_shared<Engine>("t" + std::to_string(++engines_), replica_, faults_.guards);
  primary_->now_ms = clock_.wall_ms();
  for (const auto& node : nodes_) {
    if (pick(2) == 0) node->reads.reach(primary_);
    if (pick(2) == 0) node->writes.reach(primary_);
  }
}

void ClusterSim::crash() {
  ++totals_.crashes;
  const std::size_t which = pick(nodes_.size());
  for (const auto& peer : peers_) {
    if (peer->at == nodes_[which].get()) leave(*peer);
  }
  totals_.reloads += nodes_[which]->member.reloads();
  totals_.seeds += nodes_[which]->member.seeds();
  totals_.fenced += nodes_[which]->member.fenced();
  nodes_[which]->member.outbox().set_node("gone");  // whoever waits for an answer hears that nobody knows
  nodes_[which]->member.outbox().drop_waiting();
  nodes_[which] = std::make_unique<Node>(*this);
}

// --- clients --------------------------------------------------------------------------------------------

void ClusterSim::hop(Peer& peer, Node& to) {
  leave(peer);
  if (!to.hub.serving()) return;
  ++totals_.hops;
  const std::string command = peer.hopper.subscribe();
  peer.socket = std::make_unique<SimSocket>(Framing{});
  peer.at = &to;
  peer.shard = to.shards[pick(to.shards.size())].get();
  peer.session = &peer.shard->open(*peer.socket, {});
  peer.shard->on_message(*peer.session, command);
}

void ClusterSim::leave(Peer& peer) {
  if (peer.session == nullptr) return;
  Session& session = *std::exchange(peer.session, nullptr);
  for (const std::string& text : peer.socket->take()) peer.hopper.hear(text, history_);
  peer.shard->on_closed(session);
  peer.at = nullptr;
}

void ClusterSim::listen(Peer& peer) {
  bool served = true;
  for (const std::string& text : peer.socket->take()) served = peer.hopper.hear(text, history_) && served;
  if (!served || peer.socket->closed) return leave(peer);
  if (!std::exchange(peer.socket->blocked, false)) return;
  peer.shard->on_writable(*peer.session);
}

// --- rest -----------------------------------------------------------------------------------------------

void ClusterSim::settle() {
  for (; !late_.empty(); late_.pop_back()) late_.back()();
  for (const auto& node : nodes_) {
    node->reads.reach(primary_);
    node->writes.reach(primary_);
    node->reads.faults = node->writes.faults = 0;
  }
  const auto rests = [this](const auto& node) {
    return node->member.state() == cluster::Member::State::kFollowing && node->hub.serving() &&
           node->member.outbox().bytes() == 0 && node->member.position() == primary_->state.head.n;
  };
  for (int i = 0, quiet = 0; quiet < 20; ++i) {
    if (i == kRestMax) throw Violation("the cluster does not come to rest: " + describe());
    clock_.advance_ms(20);
    primary_->now_ms = clock_.wall_ms();
    bool busy = false;
    for (const auto& node : nodes_) {
      node->follow();
      node->member.write(node->writes, node->writes);
      busy = node->run_shards() || busy;
    }
    for (const auto& peer : peers_) {
      peer->socket ? peer->socket->block_next = false : false;
      if (peer->session == nullptr) hop(*peer, node());
      if (peer->session != nullptr) listen(*peer);
    }
    quiet = !busy && std::ranges::all_of(nodes_, rests) ? quiet + 1 : 0;
  }
  check_rest();
}

std::string ClusterSim::describe() const {
  const Engine::State& state = primary_->state;
  std::string text = "the log is at " + std::to_string(state.head.n) + " (" + state.head.epoch +
                     "), kept from " + std::to_string(state.log.empty() ? 0 : state.log.front().n) +
                     " on, the table at " + std::to_string(state.written.n);
  for (const auto& node : nodes_) {
    text += "; a node in state " + std::to_string(static_cast<int>(node->member.state())) + " at " +
            std::to_string(node->member.position()) + " (" + node->hub.epoch() + ") with " +
            std::to_string(node->member.outbox().bytes()) + " bytes to say" +
            (node->has_left() ? "" : ", busy");
  }
  return text;
}

void ClusterSim::check_rest() {
  if (answered_ != totals_.published) {
    throw Violation(std::to_string(totals_.published - answered_) + " updates were never answered");
  }
  const Hub& first = nodes_.front()->hub;
  for (std::size_t t = 0; t < kClusterTopics; ++t) {
    const std::string topic = cluster_topic(t);
    const UpdatePtr here = first.find(topic);
    for (const auto& node : nodes_) {
      const UpdatePtr there = node->hub.find(topic);
      const bool same = here == nullptr ? there == nullptr
                                        : there != nullptr && here->seq() == there->seq() &&
                                              here->image() == there->image() && here->ts() == there->ts();
      if (!same) throw Violation("two nodes differ at rest about " + topic);
    }
    for (const auto& peer : peers_) {
      const auto known = peer->hopper.topics.find(topic);
      const std::uint64_t seq = known == peer->hopper.topics.end() ? 0 : known->second.seq;
      if (here != nullptr && (seq != here->seq() || !(known->second.goes_on || known->second.may_go_on)))
        throw Violation("a client at rest at seq " + std::to_string(seq) + " of " + topic + ", which is at " +
                        std::to_string(here->seq()));
    }
  }
}

ClusterTotals ClusterSim::totals() const {
  ClusterTotals all = totals_;
  for (const auto& peer : peers_) {
    const Hopper& hopper = peer->hopper;
    all.messages += hopper.messages, all.snapshots += hopper.snapshots, all.gaps += hopper.gaps;
    all.recovered += hopper.recovered, all.lost += hopper.lost, all.epochs += hopper.epochs;
  }
  for (const auto& node : nodes_) {
    all.reloads += node->member.reloads();
    all.seeds += node->member.seeds();
    all.fenced += node->member.fenced();
  }
  return all;
}

}  // namespace tickwire::sim
