#include "base/fault.h"

#include <atomic>
#include <cstdio>
#include <ctime>

namespace tickwire {
namespace {

void log_to_standard_error(Boundary boundary, std::string_view doing, std::string_view what) {
  const std::string_view name = kBoundaryNames.at(static_cast<std::size_t>(boundary));
  std::fprintf(stderr, "a fault (%.*s) in %.*s: %.*s\n", static_cast<int>(name.size()), name.data(),
               static_cast<int>(doing.size()), doing.data(), static_cast<int>(what.size()), what.data());
}

std::atomic<FaultLog> fault_log = log_to_standard_error;
std::array<std::atomic<std::uint64_t>, kBoundaryNames.size()> counts{};
std::atomic<std::int64_t> second = 0;
std::atomic<int> lines = 0;  // in that second, about: two threads may take the last one together

bool may_log() {
  const auto now = static_cast<std::int64_t>(std::time(nullptr));
  if (second.exchange(now) != now) lines = 0;
  return lines.fetch_add(1) < kFaultLinesPerSecondMax;
}

}  // namespace

void set_fault_log(FaultLog log) {
  fault_log = log;
}

void note_fault(Boundary boundary, std::string_view doing, std::string_view what) noexcept {
  counts.at(static_cast<std::size_t>(boundary)).fetch_add(1, std::memory_order_relaxed);
  if (may_log()) fault_log.load()(boundary, doing, what);
}

std::uint64_t fault_count(Boundary boundary) {
  return counts.at(static_cast<std::size_t>(boundary)).load(std::memory_order_relaxed);
}

}  // namespace tickwire
