// TimerHeap: who waits until when. Starting a timer, stopping it and taking the next one that is due each
// cost O(log n), and nothing is touched before it is due, however many wait.
//
// One thread. Owns nothing: a Timer is part of what waits, and stops when it is destroyed.
// Invariant: a timer is in one heap at most, once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tickwire {

class TimerHeap;

class Timer {
 public:
  Timer() = default;
  ~Timer() { stop(); }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  void stop();
  [[nodiscard]] bool running() const { return heap_ != nullptr; }

 private:
  friend class TimerHeap;
  TimerHeap* heap_ = nullptr;
  std::size_t place_ = 0;  // in its heap
};

class TimerHeap {
 public:
  TimerHeap() = default;
  ~TimerHeap();
  TimerHeap(const TimerHeap&) = delete;
  TimerHeap& operator=(const TimerHeap&) = delete;

  // Due at `due_us`, in microseconds of the caller's clock; also of one that runs already, here or elsewhere.
  void start(Timer& timer, std::int64_t due_us);
  // The one that has been due for longest, which runs no longer; null: none is due.
  Timer* take_due(std::int64_t now_us);
  // When the next one is due, < 0: never.
  [[nodiscard]] std::int64_t next_us() const { return entries_.empty() ? -1 : entries_.front().due_us; }
  [[nodiscard]] std::size_t size() const { return entries_.size(); }

 private:
  friend class Timer;
  struct Entry {
    std::int64_t due_us;
    Timer* timer;
  };

  void remove(std::size_t place);
  // Puts `entry` at `place` or, where the order asks for it, nearer to the root or to the leaves.
  void settle(std::size_t place, Entry entry);
  void put(std::size_t place, Entry entry);

  std::vector<Entry> entries_;  // each is due no sooner than the one at (its place - 1) / 2
};

}  // namespace tickwire
