// MemoryWatch: the soft limit of the process' memory. Past it the plant takes no new sessions, topics and
// patterns; those that are there go on. It takes them again once the memory is back below kHealedShare of it.
//
// look() from one thread; bytes() and limit() from any. What the process holds is what the kernel counts (its
// resident set): plugins and the store are in it, too.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>

#include "hub/hub.h"

namespace tickwire {

// The resident set of this process, in bytes; nothing where /proc cannot be read.
std::optional<std::uint64_t> resident_bytes();
// What the machine or the control group of this process has, whichever is less; nothing where neither says.
std::optional<std::uint64_t> available_bytes();

class MemoryWatch {
 public:
  static constexpr std::uint64_t kHealedShare = 95;  // percent of the limit
  using Measure = std::function<std::optional<std::uint64_t>()>;

  // `limit_bytes` 0: three quarters of available_bytes(). `measure` is called by look().
  MemoryWatch(Hub& hub, std::uint64_t limit_bytes, Measure measure = resident_bytes);

  // Measures, and tells the hub. About once a second.
  void look();
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  // 0: there is none.
  [[nodiscard]] std::uint64_t limit() const { return limit_; }

 private:
  Hub& hub_;
  const std::uint64_t limit_;
  const Measure measure_;
  std::atomic<std::uint64_t> bytes_ = 0;
  int looks_since_trim_ = 0;
};

}  // namespace tickwire
