// sim: simulations one after the other, each from a seed of its own, for a time or for a number of them.
//
//   sim --seconds 60            ends with a line of totals, or with the seed and the violation
//   sim --seed 4711 --runs 1    the same steps again
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <random>

#include "simulation.h"

namespace {

using tickwire::sim::Simulation;
using tickwire::sim::Totals;

constexpr int kStepsPerRun = 5'000;
constexpr int kStepsPerSettle = 500;

void add(Totals& all, const Totals& one) {
  all.steps += one.steps, all.messages += one.messages, all.snapshots += one.snapshots, all.gaps += one.gaps;
  all.resumes += one.resumes, all.restarts += one.restarts, all.crashes += one.crashes, all.cuts += one.cuts;
}

void run(std::uint64_t seed, Totals& all) {
  Simulation simulation(seed);
  for (int i = 1; i <= kStepsPerRun; ++i) {
    simulation.step();
    if (i % kStepsPerSettle == 0) simulation.settle();
  }
  add(all, simulation.totals());
}

}  // namespace

int main(int argc, char** argv) {
  double seconds = 10;
  std::uint64_t seed = std::random_device{}();
  std::uint64_t runs = UINT64_MAX;
  CLI::App app("a plant under a seeded scheduler, and clients that check every message");
  app.add_option("--seconds", seconds, "how long");
  app.add_option("--seed", seed, "of the first run; each next one's is one more");
  app.add_option("--runs", runs, "how many, if they end before");
  CLI11_PARSE(app, argc, argv);
  const auto start = std::chrono::steady_clock::now();
  const auto elapsed = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  Totals all;
  std::uint64_t done = 0;
  for (; done < runs && elapsed() < seconds; ++done) {
    try {
      run(seed + done, all);
    } catch (const std::exception& violation) {
      fmt::print("seed {}: {}\n", seed + done, violation.what());
      return 1;
    }
  }
  fmt::print(
      "{} runs from seed {}: {} steps, {} messages checked, {} snapshots, {} gaps stated, {} resumes, "
      "{} connections cut, {} restarts, {} crashes, 0 violations, {:.0f} steps/s\n",
      done, seed, all.steps, all.messages, all.snapshots, all.gaps, all.resumes, all.cuts, all.restarts,
      all.crashes, static_cast<double>(all.steps) / elapsed());
  return 0;
}
