// Sinks: who registered with the hub, by SinkId. A topic keeps those that are interested in it as bits.
//
// Any thread, without a lock. A sink is removed only once no topic has its bit any more.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <string>

#include "hub/update_sink.h"

namespace tickwire {

// A set of sinks: bit i stands for the sink with SinkId i.
using SinkBits = std::uint64_t;
constexpr SinkBits bit_of(SinkId sink) {
  return SinkBits{1} << sink;
}

class Sinks {
 public:
  SinkId add(UpdateSink& sink) {
    for (SinkId id = 0; id < kSinksMax; ++id) {
      UpdateSink* expected = nullptr;
      if (sinks_.at(id).compare_exchange_strong(expected, &sink)) return id;
    }
    assert(false && "more sinks than kSinksMax");
    return 0;
  }
  void remove(SinkId sink) { sinks_.at(sink) = nullptr; }

  void deliver(SinkBits to, const UpdatePtr& update) const {
    for (; to != 0; to &= to - 1) {
      sinks_.at(static_cast<std::size_t>(std::countr_zero(to))).load()->deliver(update);
    }
  }
  // While none is added or removed. `on_way` counts those that have yet to reach it.
  void deliver_epoch(const std::string& epoch, std::atomic<std::int64_t>& on_way) const {
    for (const std::atomic<UpdateSink*>& slot : sinks_) {
      UpdateSink* const sink = slot.load();
      if (sink == nullptr) continue;
      ++on_way;
      if (!sink->deliver_epoch(epoch)) --on_way;
    }
  }

 private:
  std::array<std::atomic<UpdateSink*>, kSinksMax> sinks_{};
};

}  // namespace tickwire
