// ConnectionGate: how many clients the whole plant takes, in all and of one address, and how many new ones a
// second of one address. All loops share it.
//
// Any thread; see base/shares.h and base/address_rates.h. It outlives every Share that it gave out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/address_rates.h"
#include "base/limit.h"
#include "base/shares.h"

namespace tickwire {

class ConnectionGate {
 public:
  struct Limits {
    std::size_t total = 0;        // 0: as many as the process has descriptors, less kDescriptorReserve
    std::size_t per_address = 0;  // 0: no limit
    Rate new_connections = {};    // of an address
  };
  // For the store, plugins, admins and the loops themselves.
  static constexpr std::size_t kDescriptorReserve = 128;

  explicit ConnectionGate(const Limits& limits);
  // Takes a seat for a new client, which `seat` holds from now on. Else what is in the way.
  std::optional<Limit> enter(PeerAddress address, std::int64_t now_us, Share& seat);

 private:
  AddressRates new_connections_;
  Shares seats_;
};

// For the client that it refuses.
std::string_view describe_refusal(Limit limit);

}  // namespace tickwire
