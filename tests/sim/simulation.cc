#include "simulation.h"

#include <algorithm>

namespace tickwire::sim {
namespace {

constexpr std::size_t kPeers = 6;
constexpr std::uint64_t kFeeds = 2;
constexpr std::size_t kMessageBytesMax = 400;  // of any that the simulation makes, framed
constexpr int kRoundsMax = 10'000;             // until all that is owed was sent
constexpr std::array<std::string_view, 4> kStatuses{"live", "stale", "halted", "closed"};

}  // namespace

Simulation::Simulation(std::uint64_t seed, Mutation mutation)
    : random_(seed), mutation_(mutation), compressing_(pick(4) == 0), peers_(kPeers) {
  start_plant();
  for (Peer& peer : peers_) connect(peer);
}

Simulation::~Simulation() {
  for (Peer& peer : peers_) {
    if (peer.session != nullptr) peer.shard->on_closed(*peer.session);
  }
}

void Simulation::step() {
  ++totals_.steps;
  switch (pick(32)) {
    case 0:
    case 1:
    case 2:
    case 3:
    case 4:
    case 5:
    case 6:
      return publish();
    case 7:
      return set_status();
    case 8:
    case 9:
      return subscribe(peer());
    case 10:
      return unsubscribe(peer());
    case 11:
    case 12:
      peer().socket->block_next = true;
      return;
    case 13:
    case 14:
    case 15:
      return unblock(peer());
    case 16:
      return clock_.advance_ms(static_cast<std::int64_t>(pick(300)));
    case 17:  // the wall clock is put back; the other one never is
      return clock_.set_wall_ms(clock_.wall_ms() - static_cast<std::int64_t>(pick(5000)));
    case 18:
      for (const auto& shard : plant_->shards) shard->tick();
      return plant_->hub.sweep();
    case 19:
    case 20:
      return flush(pick(4) == 0);
    case 21:
      peer().socket->cut_after = 1 + pick(kWriteBytesMax);
      return;
    case 22: {
      Peer& gone = peer();
      disconnect(gone);
      return connect(gone);
    }
    case 23:
      if (pick(40) > 0) return;
      end_plant(pick(2) == 0);
      start_plant();
      for (Peer& each : peers_) connect(each);
      return;
    case 24:
    case 25:
    case 26: {
      Peer& hearing = peer();
      listen(hearing);
      if (hearing.session == nullptr) connect(hearing);  // its poll was answered
      return;
    }
    default:
      run_shards();
  }
}

// --- the feeds ------------------------------------------------------------------------------------------

void Simulation::publish() {
  const std::size_t burst = pick(20) == 0 ? 20 : 1 + pick(3);
  for (std::size_t i = 0; i < burst; ++i) {
    const int topic = static_cast<int>(pick(kTopics));
    Fields changed;
    changed.fill(kAbsent);
    std::array<bool, kFields> deleted{};
    std::string data = "{";
    for (std::size_t field = 0; field < kFields; ++field) {
      if (pick(2) == 0) continue;
      data.append(data.size() > 1 ? ",\"f" : "\"f").append(std::to_string(field)).append("\":");
      if (pick(6) == 0) {
        deleted[field] = true;
        data += "null";
      } else {
        changed[field] = static_cast<int>(pick(1000));
        data += std::to_string(changed[field]);
      }
    }
    data += '}';
    const auto published =
        plant_->hub.publish(topic_name(topic), data, static_cast<FeedId>(1 + pick(kFeeds)));
    if (!published) throw Violation("publish: " + published.error().message);
    oracle_.publish(topic, data, changed, deleted);
    if ((*published)->seq() != oracle_.seq(topic)) {
      throw Violation("published as seq " + std::to_string((*published)->seq()) + " what is " +
                      std::to_string(oracle_.seq(topic)) + " of " + topic_name(topic));
    }
  }
}

void Simulation::set_status() {
  if (pick(4) == 0) {
    plant_->hub.feed_down(static_cast<FeedId>(1 + pick(kFeeds)));
    for (int topic = 0; topic < kTopics; ++topic) {
      const UpdatePtr last = plant_->hub.find(topic_name(topic));
      if (last) oracle_.topic(topic).status = name_of(last->status());
    }
    return;
  }
  const std::size_t status = pick(kStatuses.size());
  for (std::size_t left = 1 + pick(6); left > 0; --left) {
    const int topic = static_cast<int>(pick(kTopics));
    if (!plant_->hub.set_status(topic_name(topic), static_cast<TopicStatus>(status))) continue;
    oracle_.topic(topic).status = kStatuses.at(status);
  }
}

// --- the plant ------------------------------------------------------------------------------------------

bool Simulation::run_shards() {
  plant_->offload.run_one();
  bool owe = false;
  for (const auto& shard : plant_->shards) owe = shard->run() >= 0 || owe;
  return owe || plant_->offload.waiting() > 0;
}

void Simulation::flush(bool fails) {
  if (batch_.empty()) batch_ = plant_->hub.take_dirty();
  if (fails) return;
  disk_.commit(batch_);
  batch_.clear();
}

void Simulation::start_plant() {
  plant_ = std::make_unique<Plant>(clock_, access_, epoch_);
  disk_.restore(plant_->hub);
  for (int topic = 0; topic < kTopics; ++topic) {
    const UpdatePtr last = plant_->hub.find(topic_name(topic));
    Oracle::Topic& known = oracle_.topic(topic);
    if ((last ? last->seq() : 0) != known.entries.size()) {
      throw Violation("a restart lost updates of " + topic_name(topic));
    }
    if (known.status == "live" && last) known.status = "stale";
  }
}

std::uint64_t Simulation::overruns() const {
  std::uint64_t sum = 0;
  for (const auto& shard : plant_->shards) sum += shard->stats().overruns;
  return sum;
}

Totals Simulation::totals() const {
  Totals totals = totals_;
  totals.overruns += overruns();
  return totals;
}

void Simulation::end_plant(bool clean) {
  totals_.overruns += overruns();
  if (clean) {
    for (const auto& shard : plant_->shards) shard->drain(0);
    ++totals_.restarts;
  } else {
    ++totals_.crashes;
  }
  for (Peer& peer : peers_) disconnect(peer);
  if (clean) {
    // The first flush writes what waits for the disk, the second what came after it.
    for (int i = 0; i < 2 && mutation_ != Mutation::kLoseFlush; ++i) flush(false);
    batch_.clear();
  } else {
    // Updates that were not on the disk never happened: another epoch uses their numbers again.
    ++epoch_;
    batch_.clear();
    for (int topic = 0; topic < kTopics; ++topic) {
      const auto row = disk_.rows().find(topic_name(topic));
      const bool stored = row != disk_.rows().end();
      oracle_.topic(topic).entries.resize(stored ? row->second.seq : 0);
      oracle_.topic(topic).status = stored ? name_of(row->second.status) : "live";
    }
  }
  plant_.reset();
}

// --- checks ---------------------------------------------------------------------------------------------

void Simulation::check_bounds(const Peer& peer) const {
  if (peer.socket->bytes_max > kWriteBytesMax + 50 * kMessageBytesMax) {
    throw Violation("a write of " + std::to_string(peer.socket->bytes_max) + " bytes");
  }
  if (peer.session == nullptr || peer.socket->closed) return;
  const std::size_t behind = peer.session->behind().size();
  if (behind > 4 * (kTopics + peer.model.wanted.size())) {
    throw Violation("a list of " + std::to_string(behind) + " subscriptions that are behind");
  }
}

void Simulation::settle() {
  for (Peer& peer : peers_) {
    peer.socket->cut_after = 0;
    if (peer.socket->closed) {
      disconnect(peer);
      connect(peer);
    }
    unblock(peer);
  }
  for (int i = 0; run_shards(); ++i) {
    if (i == kRoundsMax) throw Violation("the shards do not come to rest");
    clock_.advance_ms(i % 4 == 0 ? 50 : 0);
  }
  for (Peer& peer : peers_) {
    listen(peer);
    check_rest(peer);
  }
}

void Simulation::check_rest(const Peer& peer) const {
  for (int topic = 0; topic < kTopics; ++topic) {
    const std::uint64_t seq = oracle_.seq(topic);
    if (seq == 0 || !peer.model.wants(topic)) continue;
    const auto found = peer.model.topics.find(topic);
    if (found == peer.model.topics.end()) throw Violation("never heard of " + topic_name(topic));
    if (found->second.seq != seq) {
      throw Violation("at rest at seq " + std::to_string(found->second.seq) + " of " + topic_name(topic) +
                      ", which is at " + std::to_string(seq));
    }
    const std::string& status = const_cast<Oracle&>(oracle_).topic(topic).status;
    if (found->second.status != status) {
      throw Violation("takes " + topic_name(topic) + " for " + found->second.status + ", it is " + status);
    }
  }
}

}  // namespace tickwire::sim
