// CommandRates: how many commands a second a session and an address may send, and how many of them may be
// costly ones (list, publish). Over its rate a command is refused and says when to try again; a session that
// goes on all the same is closed with 1008.
//
// Loop thread; the AddressRates are shared by all loops. An in-process session has no limit: it is the
// server's own program.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <tuple>

#include "base/address_rates.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/token_bucket.h"
#include "session/session.h"

namespace tickwire {

inline constexpr std::size_t kRatedKinds = std::tuple_size_v<decltype(Session::rates)>;

// By Rated. Each is counted by itself: a publish is a command, too.
using Rates = std::array<Rate, kRatedKinds>;

struct RateLimits {
  Rates session{};
  Rates address{};
};

// What the sessions of one address do on all loops together.
class SharedRates {
 public:
  explicit SharedRates(const RateLimits& limits)
      : rates_{{AddressRates(limits.address[0]), AddressRates(limits.address[1]),
                AddressRates(limits.address[2])}} {}
  AddressRates& of(Rated what) { return rates_.at(static_cast<std::size_t>(what)); }

 private:
  std::array<AddressRates, kRatedKinds> rates_;
};

class CommandRates {
 public:
  // `shared` may be null: then addresses have no limit. Both outlive it.
  CommandRates(const RateLimits& limits, SharedRates* shared) : limits_(limits), shared_(shared) {}

  // Counts one. Nothing: it may be done. Else the error, and the session may be closed now.
  [[nodiscard]] std::optional<Error> take(Session& session, Rated what, std::int64_t now_us) const;

 private:
  const RateLimits& limits_;
  SharedRates* const shared_;
};

}  // namespace tickwire
