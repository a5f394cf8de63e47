// The promise of the fan-out, under random interleavings of publish, subscribe, unsubscribe, pace, status and
// sockets that block and drain: no silent hole, no unwanted message, and every image right once all is quiet.
#include <array>
#include <random>

#include "model_client.h"
#include "plant.h"

namespace tickwire {
namespace {

class Interleaving {
 public:
  explicit Interleaving(unsigned seed)
      : random_(seed),
        plant_(small_writes(seed), {{.pattern = "e.>", .delivery = Delivery::kEvent, .ring = 5}}),
        peers_(4) {
    for (Peer& peer : peers_) join(peer);
  }

  void step() {
    switch (pick(12)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return publish();
      case 4:
        return subscribe(peer());
      case 5:
        return unsubscribe(peer());
      case 6:
        return peer().client->block();
      case 7:
        return peer().client->unblock();
      case 8:
        return static_cast<void>(plant_.shard.run());
      case 9:
        return plant_.clock.advance_ms(pick(200));
      case 10:
        return status();
      default:
        return pick(10) == 0 ? reconnect(peer()) : listen(peer());
    }
  }

  void settle() {
    for (Peer& peer : peers_) peer.client->unblock();
    plant_.run();
    plant_.clock.advance_ms(2000);
    plant_.run();
    for (Peer& peer : peers_) {
      listen(peer);
      check(peer);
    }
  }

  [[nodiscard]] ShardStats stats() const { return plant_.shard.stats(); }
  [[nodiscard]] std::uint64_t compressed(Format format) const {
    return compressed_[static_cast<std::size_t>(format)];
  }
  ModelClient totals() const {
    ModelClient sum = done_;
    for (const Peer& peer : peers_) {
      sum.updates += peer.model.updates, sum.snapshots += peer.model.snapshots, sum.gaps += peer.model.gaps;
      sum.recovered += peer.model.recovered;
    }
    return sum;
  }

 private:
  struct Peer {
    std::unique_ptr<Client> client;
    ModelClient model;
  };

  // Half of the runs do commands in pieces, with other work between the pieces.
  static ShardConfig small_writes(unsigned seed) {
    ShardConfig config;
    if (seed % 2 == 1) config.piece_steps = 1 + seed % 16;
    config.session.write_bytes_max = 600;
    config.behind_ms_max = 1'000'000'000;
    return config;
  }

  int pick(int n) { return std::uniform_int_distribution<int>(0, n - 1)(random_); }
  Peer& peer() { return peers_[static_cast<std::size_t>(pick(static_cast<int>(peers_.size())))]; }
  std::string topic() {
    return std::string(pick(3) == 0 ? "e." : "v.") + (pick(2) == 0 ? "x." : "y.") + std::to_string(pick(4));
  }

  void publish() {
    for (int n = pick(4); n >= 0; --n) {
      std::string data = "{";
      for (int field = pick(3); field >= 0; --field) {
        data += (data.size() > 1 ? ",\"f" : "\"f") + std::to_string(field) + "\":";
        data += value();
      }
      plant_.publish(topic(), data + "}");
    }
  }

  std::string value() {
    switch (pick(5)) {
      case 0:
        return "null";
      case 1:
        return "\"0." + std::to_string(pick(100)) + "0\"";
      case 2:
        return "-0." + std::to_string(pick(100));
      default:
        return std::to_string(pick(1000));
    }
  }

  void status() {
    const auto status = static_cast<TopicStatus>(pick(4));
    static_cast<void>(plant_.hub.set_status(topic(), status));
  }

  void command(Peer& peer, const std::string& text) {
    peer.client->say(text);
    while (peer.client->session->working) {
      if (pick(2) == 0) publish();
      plant_.shard.run();
    }
    listen(peer);
  }

  void subscribe(Peer& peer) {
    static const std::vector<std::string> kPatterns{">", "v.>", "e.>", "*.x.*", "e.x.*", "v.*.1"};
    const std::string text = pick(3) == 0 ? kPatterns[static_cast<std::size_t>(pick(6))] : topic();
    peer.model.wanted.insert(text);
    command(peer, R"({"type":"subscribe","topics":[")" + text + "\"]" +
                      (pick(4) == 0 ? ",\"max_rate\":" + std::to_string(1 + pick(20)) : "") + "}");
  }

  void unsubscribe(Peer& peer) {
    if (peer.model.wanted.empty()) return;
    auto it = peer.model.wanted.begin();
    std::advance(it, pick(static_cast<int>(peer.model.wanted.size())));
    listen(peer);
    command(peer, R"({"type":"unsubscribe","topics":[")" + *it + "\"]}");
    peer.model.wanted.erase(it);
    // What leaves the set begins anew when it comes back.
    std::erase_if(peer.model.topics, [&](const auto& entry) { return !peer.model.wants(entry.first); });
  }

  void reconnect(Peer& peer) {
    listen(peer);
    done_.updates += peer.model.updates, done_.snapshots += peer.model.snapshots,
        done_.gaps += peer.model.gaps;
    const ModelClient before = peer.model;
    join(peer);
    if (pick(3) > 0) resume(peer, before);
  }

  // Goes on with what it knows; sometimes of another epoch, of which nothing can be recovered.
  void resume(Peer& peer, const ModelClient& before) {
    if (before.wanted.empty()) return;
    peer.model.wanted = before.wanted;
    peer.model.topics = before.topics;
    nlohmann::json command{{"type", "subscribe"}, {"topics", before.wanted}};
    command["epoch"] = pick(5) == 0 ? "e0" : "e1";
    command["since"] = nlohmann::json::object();
    for (const auto& [topic, known] : before.topics) command["since"][topic] = known.seq;
    this->command(peer, command.dump());
  }

  void join(Peer& peer) {
    const auto compression = static_cast<Compression>(pick(3));
    const auto format = static_cast<Format>(pick(3));
    peer.client = std::make_unique<Client>(plant_, ClientInfo{}, compression, format);
    peer.model = ModelClient{};
  }

  void listen(Peer& peer) {
    FakeSocket& socket = peer.client->socket;
    for (const auto& message : socket.take()) peer.model.hear(message);
    auto& compressed = compressed_[static_cast<std::size_t>(socket.format)];
    compressed += static_cast<std::uint64_t>(std::exchange(socket.compressed_messages, 0));
  }

  void check(const Peer& peer) {
    for (const UpdatePtr& last : plant_.hub.list(*Pattern::parse(">"), "", 1000)) {
      const std::string& name = last->topic().name;
      if (!peer.model.wants(name)) continue;
      const auto found = peer.model.topics.find(name);
      ASSERT_NE(found, peer.model.topics.end()) << "never heard of " << name;
      EXPECT_EQ(found->second.seq, last->seq()) << name;
      EXPECT_EQ(found->second.image, nlohmann::json::parse(last->image())) << name;
      EXPECT_EQ(found->second.status, name_of(last->status())) << name;
    }
  }

  std::mt19937 random_;
  Plant plant_;
  std::vector<Peer> peers_;
  ModelClient done_;
  std::array<std::uint64_t, kSubprotocols.size()> compressed_{};  // messages, by Format
};

TEST(Interleaving, EveryClientIsRightOnceAllIsQuiet) {
  ModelClient totals;
  std::uint64_t linked = 0;
  std::uint64_t standalone = 0;
  std::uint64_t msgpack = 0;
  std::uint64_t cbor = 0;
  for (unsigned seed = 0; seed < 120; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Interleaving run(seed);
    for (int i = 0; i < 600; ++i) {
      run.step();
      if (i % 150 == 149) run.settle();
      if (::testing::Test::HasFatalFailure() || ::testing::Test::HasNonfatalFailure())
        FAIL() << "at step " << i;
    }
    linked += run.stats().linked, standalone += run.stats().standalone;
    msgpack += run.compressed(Format::kMsgpack), cbor += run.compressed(Format::kCbor);
    const ModelClient one = run.totals();
    totals.recovered += one.recovered;
    totals.updates += one.updates, totals.snapshots += one.snapshots, totals.gaps += one.gaps;
  }
  // The test has met what it is about.
  EXPECT_GT(totals.updates, 15'000U);
  EXPECT_GT(totals.snapshots, 3'000U);
  EXPECT_GT(totals.gaps, 30U);
  EXPECT_GT(totals.recovered, 200U);
  EXPECT_GT(linked, 3'000U);
  EXPECT_GT(standalone, 3'000U);
  EXPECT_GT(msgpack, 3'000U);
  EXPECT_GT(cbor, 3'000U);
}

}  // namespace
}  // namespace tickwire
