// Simulation: a whole plant without threads, sockets, files or clocks, under one seeded scheduler: feeds that
// burst, die and come back, clients that subscribe, block, are cut off and resume, a disk that fails, and
// crashes and restarts at any step. Every message is judged by clients who know the protocol and the oracle.
//
// One thread. The same seed does the same steps, under the same hash key (model/keyed_hash.h).
#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "disk.h"
#include "model_client.h"
#include "oracle.h"
#include "plant.h"
#include "session/framing.h"

namespace tickwire::sim {

struct Totals {
  std::uint64_t steps = 0;
  std::uint64_t messages = 0;
  std::uint64_t snapshots = 0;
  std::uint64_t gaps = 0;
  std::uint64_t resumes = 0;
  std::uint64_t restarts = 0;
  std::uint64_t crashes = 0;
  std::uint64_t cuts = 0;
  std::uint64_t overruns = 0;
  std::uint64_t cursors = 0;  // that a client went on from
  std::uint64_t polls = 0;    // answered
};

class Simulation {
 public:
  explicit Simulation(std::uint64_t seed, Mutation mutation = Mutation::kNone);
  ~Simulation();
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;

  // Throws Violation.
  void step();
  // Lets everything come to rest. Then every client must know the last state of what it wants.
  void settle();
  [[nodiscard]] Totals totals() const;

 private:
  struct Peer {
    std::unique_ptr<SimSocket> socket;
    Session* session = nullptr;
    Shard* shard = nullptr;
    ModelClient model;
    [[nodiscard]] Carrier carrier() const { return socket->framing.carrier; }
  };

  std::size_t pick(std::size_t n) { return static_cast<std::size_t>(random_() % n); }
  Peer& peer() { return peers_[pick(peers_.size())]; }

  void publish();
  void set_status();
  // Sends a command, which is done in pieces: feeds and the shard continue between them.
  // `begins`: the topic or pattern that it asks to begin, `last`: with the last messages of events.
  void command(Peer& peer, const std::string& text, const std::string& begins = "", bool last = false);
  void subscribe(Peer& peer);
  void unsubscribe(Peer& peer);
  void unblock(Peer& peer);
  void connect(Peer& peer);
  void open(Peer& peer, Framing framing);
  void connect_websocket(Peer& peer);
  // Over a stream of events, or as a long poll: a request for all that the client wants, and its cursor.
  void connect_http(Peer& peer, Carrier carrier);
  // Changes what the client of a request wants, which is another request then.
  void ask_anew(Peer& peer, const std::string& gone, const std::string& begins);
  // What comes of a long poll, if it can be answered now; that ends it.
  void answer(Peer& peer);
  void hear(Peer& peer, std::vector<std::string> texts);
  void hang_up(Peer& peer);
  void disconnect(Peer& peer);
  void listen(Peer& peer);
  void mutate(std::string& text);
  void mutate_cursor(std::string& cursor);
  // Whether they owe something, now or later.
  bool run_shards();
  void flush(bool fails);
  void start_plant();
  void end_plant(bool clean);
  [[nodiscard]] std::uint64_t overruns() const;
  void check_bounds(const Peer& peer) const;
  void check_rest(const Peer& peer) const;

  std::mt19937_64 random_;
  const Mutation mutation_;
  const bool compressing_;  // in a quarter of the runs: zlib takes longer than all the rest
  FakeClock clock_;
  FakeAccess access_;
  Oracle oracle_;
  Disk disk_;
  std::vector<Dirty> batch_;  // taken from the hub, not yet on the disk
  int epoch_ = 0;
  std::unique_ptr<Plant> plant_;
  std::vector<Peer> peers_;
  Totals totals_;
};

}  // namespace tickwire::sim
