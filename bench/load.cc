// The load client: thousands of WebSocket connections from one thread.
//
//   load --port PORT --connections 1000 --topics 100 --each 10 [--deflate] [--tls] [--check 10] ...
//
// It says {"ready": ...} when each client has its ack, then takes commands:
//
//   stats     what came in since the last reset, and percentiles of the age of updates since they were due
//   reset     start counting again
//   stall N   N clients stop reading
//   resume    they read again
//   verify    by topic: the newest seq that a checked client holds, how many hold less or something else
//   quit
#include <CLI/CLI.hpp>
#include <array>
#include <deque>
#include <set>
#include <string>
#include <vector>

#include "client.h"
#include "usage.h"

namespace tickwire::bench {
namespace {

constexpr std::uint64_t kConsole = 1U << 31U;
// Connections under way, and bytes of their subscribes: a server limits how many unfinished messages of an
// address it keeps (unfinished_bytes_max: 16 MiB).
constexpr std::uint32_t kOpeningMax = 256;
constexpr std::uint32_t kOpeningBytesMax = 4U << 20U;
constexpr std::uint32_t kTopicBytes = 32;  // of a subscribe
constexpr std::int64_t kReadyUsMax = 300'000'000;

class Load {
 public:
  explicit Load(LoadConfig config) : config_(std::move(config)) {
    for (std::uint32_t i = 0; i < config_.connections; ++i) clients_.emplace_back(i, config_, counts_);
  }

  void run() {
    open_all();
    poll_.add(STDIN_FILENO, EPOLLIN, kConsole);
    reply({{"ready", clients_.size()}, {"deflate", clients_.front().deflate()}});
    while (!quit_) turn(-1);
  }

 private:
  void open_all() {
    const std::int64_t give_up = now_us() + kReadyUsMax;
    const std::uint32_t opening_max =
        std::clamp(kOpeningBytesMax / (config_.topics_each * kTopicBytes), 1U, kOpeningMax);
    while (ready_ < clients_.size()) {
      for (; opened_ < clients_.size() && opened_ < ready_ + opening_max; ++opened_) {
        Client& client = clients_[opened_];
        client.connect(hosts_.host(opened_));
        poll_.add(client.fd(), EPOLLIN | EPOLLOUT, opened_);
      }
      turn(100'000);
      if (counts_.closed > 0)
        fail("the server closed a connection, code " + std::to_string(counts_.last_close));
      if (now_us() > give_up) fail("only " + std::to_string(ready_) + " clients were answered in time");
    }
  }

  void turn(std::int64_t wait_us) {
    std::array<epoll_event, 256> events;
    const std::size_t count = poll_.wait(events, wait_us);
    for (std::size_t i = 0; i < count; ++i) {
      if (events[i].data.u64 == kConsole) {
        obey();
      } else {
        serve(static_cast<std::uint32_t>(events[i].data.u64), events[i].events);
      }
    }
  }

  void serve(std::uint32_t index, std::uint32_t events) {
    Client& client = clients_[index];
    if (client.fd() < 0 || client.stalled) return;
    const bool was_ready = client.ready();
    if ((events & ~EPOLLOUT) != 0) {
      const auto got = client.read(buffer_);
      if (!got) return client.end();
      if (*got > 0) client.receive({buffer_.data(), *got}, now_us());
      if (client.ready() && !was_ready) ++ready_;
    }
    client.write();
    if (client.wants_to_write() || (events & EPOLLOUT) != 0) watch(index);
  }
  void watch(std::uint32_t index) {
    const Client& client = clients_[index];
    const std::uint32_t reading = client.stalled ? 0U : EPOLLIN;
    poll_.change(client.fd(), reading | (client.wants_to_write() ? EPOLLOUT : 0U), index);
  }

  // --- commands ---------------------------------------------------------------------------------------
  void obey() {
    quit_ = !console_.read();
    while (const auto command = console_.next()) {
      if (command->name == "quit") quit_ = true;
      if (command->name == "reset") counts_ = {};
      if (command->name == "stall") stall(static_cast<std::size_t>(command->number(0, 0)), true);
      if (command->name == "resume") stall(clients_.size(), false);
      reply(command->name == "verify" ? verify() : stats());
    }
  }

  void stall(std::size_t count, bool stalled) {
    for (std::uint32_t index = 0; index < count; ++index) {
      Client& client = clients_[index];
      if (client.stalled == stalled || client.fd() < 0) continue;
      client.stalled = stalled;
      client.was_stalled = true;
      watch(index);
    }
  }

  [[nodiscard]] nlohmann::json stats() const {
    return {{"t_us", now_us()},
            {"cpu_s", process_cpu_s()},
            {"messages", counts_.messages},
            {"bytes", counts_.bytes},
            {"compressed", counts_.compressed},
            {"checked", counts_.checked},
            {"snapshots", counts_.snapshots},
            {"holes", counts_.holes},
            {"conflated", counts_.conflated},
            {"closed", counts_.closed},
            {"last_close", counts_.last_close},
            {"heartbeats", counts_.heartbeats},
            {"pings", counts_.pings},
            {"reads", counts_.reads},
            {"latency_us", percentiles(counts_.latency_us)}};
  }

  [[nodiscard]] nlohmann::json verify() const {
    std::vector<Held> newest(config_.topics);
    for (const Client& client : clients_) {
      for (std::size_t i = 0; i < client.topics().size(); ++i) {
        Held& held = newest[client.topics()[i]];
        if (client.held()[i].seq > held.seq) held = client.held()[i];
      }
    }
    std::uint64_t images = 0, wrong = 0;
    for (const Client& client : clients_) {
      for (std::size_t i = 0; i < client.topics().size(); ++i) {
        const Held& held = newest[client.topics()[i]];
        const Held& mine = client.held()[i];
        if (mine.seq == 0) continue;  // nothing was sent since a subscribe that asked for no snapshot
        ++images;
        wrong += mine.seq != held.seq || mine.data_hash != held.data_hash ? 1 : 0;
      }
    }
    nlohmann::json topics = nlohmann::json::object();
    const TopicNames names(config_.topics);
    for (std::uint32_t topic = 0; topic < config_.topics; ++topic) {
      if (newest[topic].seq > 0)
        topics[names.name(topic)] = {newest[topic].seq, std::to_string(newest[topic].data_hash)};
    }
    return {{"images", images}, {"wrong", wrong}, {"topics", topics}};
  }

  const LoadConfig config_;
  const SourceHosts hosts_;
  Counts counts_;
  std::deque<Client> clients_;
  std::uint32_t opened_ = 0;
  std::uint32_t ready_ = 0;
  bool quit_ = false;
  Poll poll_;
  Console console_;
  std::vector<char> buffer_ = std::vector<char>(std::size_t{1} << 18U);
};

}  // namespace
}  // namespace tickwire::bench

int main(int argc, char** argv) {
  tickwire::bench::LoadConfig config;
  bool no_snapshot = false;
  CLI::App app("thousands of WebSocket clients");
  app.add_option("--port", config.port, "of the server, on 127.0.0.1")->required();
  app.add_option("--connections", config.connections, "")->check(CLI::PositiveNumber);
  app.add_option("--topics", config.topics, "topics there are")->check(CLI::PositiveNumber);
  app.add_option("--each", config.topics_each, "topics of a connection")->check(CLI::PositiveNumber);
  app.add_option("--pattern", config.pattern, "subscribe to this instead");
  app.add_flag("--no-snapshot", no_snapshot, "only what comes after the subscribe");
  app.add_flag("--deflate", config.deflate, "offer permessage-deflate");
  app.add_flag("--tls", config.tls, "wss://, whatever the server's certificate");
  app.add_option("--check", config.check, "one of so many clients reads every message")
      ->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);
  config.snapshot = !no_snapshot;
  tickwire::bench::Load(std::move(config)).run();
}
