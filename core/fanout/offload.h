// Offload: where a shard hands what would hold its loop up and cannot be done in pieces: reading a large
// message, merging a large payload. The engine gives it threads, tests run tasks when they like.
//
// run() is called from any thread and does not wait. Tasks of one asker begin in their order; askers have
// turns, so that one with many tasks holds up only itself; what nobody asked for (it frees memory) comes
// first. A task runs once, on any thread, also before run() returns; or never, where the Offload ends first:
// then it is only destroyed. A task may use the hub and Shard::post, and hold Shares of the shard, so the
// Offload ends (runs and holds no task) before the shard is destroyed; run() may still be called then, and
// drops its task.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

namespace tickwire {

class Offload {
 public:
  // Any number; that of an address, or of a session.
  using Asker = std::uint64_t;
  static constexpr Asker kNobody = 0;

  virtual ~Offload() = default;
  virtual void run(Asker asker, std::function<void()> task) = 0;
};

// A value of so many parts that giving back its memory would hold a loop up: `offload` does that, whoever
// holds the last reference.
template <typename T>
std::shared_ptr<T> freed_elsewhere(Offload& offload, T value) {
  return std::shared_ptr<T>(std::make_unique<T>(std::move(value)).release(), [&offload](T* last) {
    offload.run(Offload::kNobody, [held = std::shared_ptr<T>(last)] {});
  });
}

// More names are freed by a worker: it takes some 70 ns a name.
inline constexpr std::size_t kNamesFreedOnLoopMax = 2'000;

// A value that holds so many names: freed elsewhere if they are many and there is an Offload.
template <typename T>
std::shared_ptr<T> shared_names(Offload* offload, std::size_t names, T value) {
  const bool many = offload != nullptr && names > kNamesFreedOnLoopMax;
  return many ? freed_elsewhere(*offload, std::move(value)) : std::make_shared<T>(std::move(value));
}

}  // namespace tickwire
