// Work: what this thread has done, counted in steps of some 0.1 to 0.5 us: a topic looked at, a lock taken, a
// pattern held against a name. It is counted where it happens, so that a bound on it is a bound on what
// really happens, whoever caused it, and a test of such a bound does not depend on the machine.
//
// Each thread has its own count, which only grows.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tickwire {

class Work {
 public:
  static void count(std::uint64_t steps = 1) { done_steps += steps; }
  [[nodiscard]] static std::uint64_t done() { return done_steps; }

 private:
  static inline thread_local std::uint64_t done_steps = 0;
};

// The steps of one piece: about 1 ms, 3 ms where the caches are cold. What takes more is done in pieces, and
// the loop turns between them.
inline constexpr std::uint64_t kPieceSteps = 2'000;

// What one piece of work may still do. On the thread that made it.
class Budget {
 public:
  explicit Budget(std::uint64_t steps = kPieceSteps) : end_(Work::done() + steps) {}
  static Budget unlimited() { return Budget(UINT64_MAX / 2); }
  [[nodiscard]] bool spent() const { return Work::done() >= end_; }

 private:
  std::uint64_t end_;
};

}  // namespace tickwire
