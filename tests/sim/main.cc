// sim: simulations one after the other, each from a seed of its own, for a time or for a number of them.
//
//   sim --seconds 60            ends with a line of totals, or with the violation and how to see it again
//   sim --seed 4711 --runs 1 --hash-key 815    the same steps again
//   sim --cluster ...           three nodes on one engine, in place of one plant and its disk
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <deque>
#include <mutex>
#include <random>
#include <string>
#include <thread>

#include "cluster_sim.h"
#include "model/keyed_hash.h"
#include "simulation.h"

namespace {

using tickwire::sim::ClusterSim;
using tickwire::sim::ClusterTotals;
using tickwire::sim::Simulation;
using tickwire::sim::Totals;

constexpr int kStepsPerRun = 5'000;
constexpr int kStepsPerSettle = 500;

void add(Totals& all, const Totals& one) {
  all.steps += one.steps, all.messages += one.messages, all.snapshots += one.snapshots, all.gaps += one.gaps;
  all.resumes += one.resumes, all.restarts += one.restarts, all.crashes += one.crashes, all.cuts += one.cuts;
  all.overruns += one.overruns, all.cursors += one.cursors, all.polls += one.polls;
}

void run_cluster(std::uint64_t seed, Totals& all) {
  ClusterSim cluster(seed);
  for (int i = 1; i <= kStepsPerRun; ++i) {
    cluster.step();
    if (i % kStepsPerSettle == 0) cluster.settle();
  }
  const ClusterTotals one = cluster.totals();
  Totals totals;
  totals.steps = kStepsPerRun, totals.messages = one.messages, totals.snapshots = one.snapshots;
  totals.gaps = one.gaps, totals.resumes = one.recovered + one.lost, totals.restarts = one.reloads;
  totals.crashes = one.crashes, totals.cuts = one.hops;
  add(all, totals);
}

void run(std::uint64_t seed, Totals& all) {
  Simulation simulation(seed);
  for (int i = 1; i <= kStepsPerRun; ++i) {
    simulation.step();
    if (i % kStepsPerSettle == 0) simulation.settle();
  }
  add(all, simulation.totals());
}

// Takes one seed after the other; ends at its first violation, which the other workers see as well.
class Worker {
 public:
  struct Shared {
    Shared(std::uint64_t seed, std::uint64_t runs, std::chrono::steady_clock::time_point end, bool cluster)
        : seed(seed), runs(runs), end(end), cluster(cluster) {}
    const std::uint64_t seed;
    const std::uint64_t runs;
    const std::chrono::steady_clock::time_point end;
    const bool cluster;
    std::atomic<std::uint64_t> begun = 0;
    std::mutex mutex;
    // Protected by mutex:
    Totals all;
    std::uint64_t done = 0;
    std::string violation;
  };

  explicit Worker(Shared& shared) : thread_([this, &shared] { work(shared); }) {}

 private:
  static bool goes_on(Shared& shared) {
    const std::lock_guard lock(shared.mutex);
    return shared.violation.empty() && std::chrono::steady_clock::now() < shared.end;
  }
  void work(Shared& shared) {
    while (goes_on(shared)) {
      const std::uint64_t number = shared.begun++;
      if (number >= shared.runs) return;
      Totals totals;
      std::string violation;
      try {
        (shared.cluster ? run_cluster : run)(shared.seed + number, totals);
      } catch (const std::exception& e) {
        violation = fmt::format("--seed {} --runs 1: {}", shared.seed + number, e.what());
      }
      const std::lock_guard lock(shared.mutex);
      add(shared.all, totals);
      ++shared.done;
      if (!violation.empty()) shared.violation = violation;
    }
  }

  std::jthread thread_;
};

}  // namespace

int main(int argc, char** argv) {
  double seconds = 10;
  std::uint64_t seed = std::random_device{}();
  std::uint64_t hash_key = std::random_device{}();
  std::uint64_t runs = UINT64_MAX;
  unsigned jobs = std::max(1U, std::thread::hardware_concurrency());
  bool cluster = false;
  CLI::App app("a plant under a seeded scheduler, and clients that check every message");
  app.add_option("--seconds", seconds, "how long");
  app.add_option("--seed", seed, "of the first run; each next one's is one more");
  app.add_option("--hash-key", hash_key, "of all tables, which decides in which order they are gone through");
  app.add_option("--runs", runs, "how many, if they end before");
  app.add_flag("--cluster", cluster, "three nodes on one engine");
  app.add_option("--jobs", jobs, "how many at once")->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);
  tickwire::set_hash_key({.low = hash_key, .high = 0});
  const auto start = std::chrono::steady_clock::now();
  const auto time =
      std::chrono::duration_cast<std::chrono::steady_clock::duration>(std::chrono::duration<double>(seconds));
  Worker::Shared shared(seed, runs, start + time, cluster);
  {
    std::deque<Worker> workers;
    for (unsigned i = 0; i < jobs; ++i) workers.emplace_back(shared);
  }
  if (!shared.violation.empty()) {
    fmt::print("--hash-key {} {}\n", hash_key, shared.violation);
    return 1;
  }
  const Totals& all = shared.all;
  const double elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  fmt::print(
      "{} runs from seed {}: {} steps, {} messages checked, {} snapshots, {} gaps stated, {} resumes, "
      "{} requests with a cursor, {} polls answered, {} connections cut, {} restarts, {} crashes, {} "
      "overruns, 0 violations, {:.0f} steps/s\n",
      shared.done, seed, all.steps, all.messages, all.snapshots, all.gaps, all.resumes, all.cursors,
      all.polls, all.cuts, all.restarts, all.crashes, all.overruns, static_cast<double>(all.steps) / elapsed);
  return 0;
}
