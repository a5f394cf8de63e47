// Time as benchmarks take it.
#pragma once

#include <algorithm>
#include <ctime>
#include <vector>

namespace tickwire::bench {

// Processor time of this thread: what others do on the machine counts less.
inline double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace tickwire::bench
