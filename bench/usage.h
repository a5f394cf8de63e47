// What this process has used: processor time by thread, and memory. Linux.
#pragma once

#include <malloc.h>
#include <unistd.h>

#include <cstdint>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

namespace tickwire::bench {

inline double seconds_of(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

inline double process_cpu_s() {
  return seconds_of(CLOCK_PROCESS_CPUTIME_ID);
}

// Seconds of processor time by thread name. The time of threads that have ended is in the process's only.
inline nlohmann::json thread_cpu_s() {
  nlohmann::json cpu = nlohmann::json::object();
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string name;
    std::getline(std::ifstream(task.path() / "comm"), name);
    // What pthread_getcpuclockid returns for the thread of that id (clock_getres(2), "CPU-time clocks").
    const auto tid = static_cast<unsigned>(std::stoul(task.path().filename().string()));
    cpu[name] = cpu.value(name, 0.0) + seconds_of(static_cast<clockid_t>(~tid << 3U | 6U));
  }
  return cpu;
}

inline std::int64_t rss_bytes() {
  std::int64_t total = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return resident * ::sysconf(_SC_PAGESIZE);
}

// Bytes that malloc has handed out and not got back.
inline std::int64_t heap_bytes() {
  const auto info = ::mallinfo2();
  return static_cast<std::int64_t>(info.uordblks + info.hblkhd);
}

}  // namespace tickwire::bench
