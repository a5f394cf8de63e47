#include "net/connection_gate.h"

#include <sys/resource.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace tickwire {
namespace {

constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();

std::size_t descriptors_left() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return kNoLimit;
  const std::size_t all = limit.rlim_cur;
  return all - std::min(ConnectionGate::kDescriptorReserve, all / 2);
}

}  // namespace

ConnectionGate::ConnectionGate(const Limits& limits)
    : new_connections_(limits.new_connections),
      seats_({limits.total == 0 ? descriptors_left() : limits.total,
              limits.per_address == 0 ? kNoLimit : limits.per_address, 1},
             {Limit::kConnections, Limit::kConnectionsPerAddress, Limit::kConnections}) {}

std::optional<Limit> ConnectionGate::enter(PeerAddress address, std::int64_t now_us, Share& seat) {
  if (!new_connections_.take(address, now_us).ok()) return Limit::kNewConnections;
  Share taken(seats_, address);
  if (const auto limit = taken.resize(1)) return limit;
  seat = std::move(taken);
  return std::nullopt;
}

std::string_view describe_refusal(Limit limit) {
  switch (limit) {
    case Limit::kNewConnections:
      return "too many new connections from this address";
    case Limit::kConnectionsPerAddress:
      return "too many connections from this address";
    case Limit::kRequestsOpen:
      return "too many connections are no WebSocket";
    case Limit::kRequestsOpenPerAddress:
      return "too many connections from this address are no WebSocket";
    default:
      return "the server has as many connections as it takes";
  }
}

}  // namespace tickwire
