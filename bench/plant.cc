// The server under test: a whole engine, with one thread beside it that publishes at a steady rate.
//
//   plant --topics 100 [--set KEY=VALUE ...]        it says {"port": ...}, then takes commands:
//
//   start RATE   publish RATE updates a second, each due at a time fixed beforehand
//   stop         no more updates
//   stats        what the shard counted, processor seconds by thread, memory
//   seqs         the sequence number of every topic, in the order of topics
//   quit         stop the engine and end
#include <pthread.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <numeric>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "console.h"
#include "engine/engine.h"
#include "usage.h"
#include "workload.h"

namespace tickwire::bench {
namespace {

void sleep_until_us(std::int64_t when) {
  timespec at{};
  at.tv_sec = when / 1'000'000;
  at.tv_nsec = when % 1'000'000 * 1000;
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, nullptr);
}

class Publisher {
 public:
  // In random order, as topics come up in the field: in the order of their names they would lie side by side
  // in memory, and whatever walks over them would find them in the cache.
  Publisher(Hub& hub, std::uint32_t topics) : hub_(hub), names_(name_all(topics)), updates_(topics) {
    std::vector<std::uint32_t> order(topics);
    std::iota(order.begin(), order.end(), 0U);
    std::shuffle(order.begin(), order.end(), std::mt19937(1));
    for (const std::uint32_t topic : order) publish(topic, now_us());
  }
  ~Publisher() { stop(); }
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  void start(double rate) {
    stop();
    running_ = true;
    thread_ = std::thread([this, rate] { run(rate); });
  }
  void stop() {
    running_ = false;
    if (thread_.joinable()) thread_.join();
  }
  [[nodiscard]] std::uint64_t published() const { return published_; }
  // The last seq of each topic. Valid only while nothing is being published.
  [[nodiscard]] const std::vector<std::uint32_t>& seqs() const { return updates_.steps(); }
  [[nodiscard]] std::int64_t late_us_max() const { return late_us_max_; }

 private:
  static std::vector<std::string> name_all(std::uint32_t topics) {
    const TopicNames names(topics);
    std::vector<std::string> all;
    for (std::uint32_t topic = 0; topic < topics; ++topic) all.push_back(names.name(topic));
    return all;
  }
  void publish(std::uint32_t topic, std::int64_t due) {
    if (auto made = hub_.publish(names_[topic], updates_.next_data(topic, due)); !made)
      fail(made.error().message);
    ++published_;
  }
  void run(double rate) {
    pthread_setname_np(pthread_self(), "publisher");
    late_us_max_ = 0;
    const std::int64_t start = now_us() + kBurstUs;
    for (std::uint64_t i = 0; running_; ++i) {
      const std::int64_t due = start + due_us(i, rate);
      std::int64_t now = now_us();
      while (running_ && now < due) {  // in steps, so that a slow rate does not hold up stop()
        sleep_until_us(std::min(due, now + 100'000));
        now = now_us();
      }
      late_us_max_ = std::max(late_us_max_.load(), now - due);
      publish(updates_.next_topic(), due);
    }
  }

  Hub& hub_;
  const std::vector<std::string> names_;
  Updates updates_;
  std::thread thread_;
  std::atomic<bool> running_ = false;
  std::atomic<std::uint64_t> published_ = 0;
  std::atomic<std::int64_t> late_us_max_ = 0;
};

nlohmann::json stats(Engine& engine, const Publisher& publisher) {
  const ShardStats shard = engine.shard().stats();
  return {{"t_us", now_us()},
          {"cpu_s", process_cpu_s()},
          {"thread_cpu_s", thread_cpu_s()},
          {"published", publisher.published()},
          {"late_us_max", publisher.late_us_max()},
          {"sessions", shard.sessions},
          {"subscriptions", shard.subscriptions},
          {"messages", shard.messages},
          {"bytes", shard.bytes},
          {"writes", shard.writes},
          {"turns", shard.turns},
          {"conflated", shard.conflated},
          {"gaps", shard.gaps},
          {"rss_bytes", rss_bytes()},
          {"heap_bytes", heap_bytes()}};
}

void serve(Engine& engine, std::uint32_t topics) {
  Publisher publisher(engine.hub(), topics);
  reply({{"port", std::stoi(engine.address().substr(engine.address().rfind(':') + 1))}});
  Console console;
  while (console.read()) {
    while (const auto command = console.next()) {
      if (command->name == "quit") return;
      if (command->name == "start") publisher.start(command->number(0, 1));
      if (command->name == "stop") publisher.stop();
      reply(command->name == "seqs" ? nlohmann::json{{"seqs", publisher.seqs()}} : stats(engine, publisher));
    }
  }
}

int run(std::uint32_t topics, std::vector<std::string> sets) {
  // The clients are many, and of few addresses.
  sets.insert(sets.begin(), {"server.listen=127.0.0.1:0", "server.shards=1", "log.level=warning",
                             "limits.connections_per_address_max=0", "limits.new_connections_per_s=0",
                             "limits.commands_per_s=0", "limits.lists_per_s=0"});
  auto config = load_config({.file = {}, .environment = {}, .overrides = {}, .sets = std::move(sets)});
  if (!config) fail(config.error().message);
  auto engine = Engine::create(std::move(*config));
  if (!engine) fail(engine.error().message);
  if (auto started = (*engine)->start(); !started) fail(started.error().message);
  serve(**engine, topics);
  (*engine)->stop();
  return 0;
}

}  // namespace
}  // namespace tickwire::bench

int main(int argc, char** argv) {
  std::uint32_t topics = 100;
  std::vector<std::string> sets;
  CLI::App app("an engine that publishes to itself");
  app.add_option("--topics", topics, "topics published to");
  app.add_option("--set", sets, "KEY=VALUE of the configuration")->allow_extra_args(false);
  CLI11_PARSE(app, argc, argv);
  return tickwire::bench::run(topics, std::move(sets));
}
