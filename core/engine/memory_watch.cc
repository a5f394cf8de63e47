#include "engine/memory_watch.h"

#include <malloc.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <utility>

namespace tickwire {
namespace {

constexpr int kLooksBetweenTrims = 10;

std::optional<std::uint64_t> number_in(const std::string& path) {
  std::ifstream file(path);
  std::uint64_t number = 0;
  if (!(file >> number)) return std::nullopt;  // cgroup writes "max" where there is no limit
  return number;
}

// The limit of the control group (version 2) that this process is in.
std::optional<std::uint64_t> cgroup_bytes() {
  std::ifstream file("/proc/self/cgroup");
  std::string line;
  while (std::getline(file, line)) {
    if (line.starts_with("0::")) return number_in("/sys/fs/cgroup" + line.substr(3) + "/memory.max");
  }
  return std::nullopt;
}

std::uint64_t limit_of(std::uint64_t configured) {
  return configured != 0 ? configured : available_bytes().value_or(0) / 4 * 3;
}

}  // namespace

std::optional<std::uint64_t> resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t all = 0;
  std::uint64_t resident = 0;
  if (!(file >> all >> resident)) return std::nullopt;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::optional<std::uint64_t> available_bytes() {
  const long pages = ::sysconf(_SC_PHYS_PAGES);
  std::optional<std::uint64_t> machine;
  if (pages > 0)
    machine = static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  const std::optional<std::uint64_t> group = cgroup_bytes();
  if (machine && group) return std::min(*machine, *group);
  return machine ? machine : group;
}

MemoryWatch::MemoryWatch(Hub& hub, std::uint64_t limit_bytes, Measure measure)
    : hub_(hub), limit_(limit_of(limit_bytes)), measure_(std::move(measure)) {}

void MemoryWatch::look() {
  const std::optional<std::uint64_t> held = measure_();
  if (!held) return;
  bytes_ = *held;
  if (limit_ == 0) return;
  const bool was_full = hub_.memory_full();
  const bool is_full = was_full ? *held > limit_ / 100 * kHealedShare : *held > limit_;
  if (is_full != was_full) {
    hub_.set_memory_full(is_full);
    spdlog::log(
        is_full ? spdlog::level::warn : spdlog::level::info, "memory: {} MB of limits.memory_mb = {}; {}",
        *held >> 20U, limit_ >> 20U,
        is_full ? "new sessions, topics and patterns are refused until it is less" : "all is taken again");
  }
  // What was freed goes back to the kernel, which else counts it as held.
  if (is_full && ++looks_since_trim_ >= kLooksBetweenTrims) {
    looks_since_trim_ = 0;
    ::malloc_trim(0);
  }
}

}  // namespace tickwire
