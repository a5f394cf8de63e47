#include "fanout/command_rates.h"

#include <string>
#include <string_view>

namespace tickwire {
namespace {

struct RatedRow {
  std::string_view name;
  Limit of_session;
  Limit of_address;
};

// By Rated.
constexpr std::array<RatedRow, kRatedKinds> kRated{
    {{"commands", Limit::kCommands, Limit::kCommandsPerAddress},
     {"lists", Limit::kLists, Limit::kListsPerAddress},
     {"publishes", Limit::kPublishes, Limit::kPublishesPerAddress}}};

Error too_many(std::string_view name, std::string_view whose, Rate rate, Limit limit, std::int64_t wait_us) {
  const std::int64_t wait_ms = (wait_us + 999) / 1'000;
  return {ErrorCode::kTooMany,
          std::string(whose) + " may send " + std::to_string(rate.per_s) + " " + std::string(name) +
              " a second; try again in " + std::to_string(wait_ms) + " ms",
          "", limit, wait_ms};
}

}  // namespace

std::optional<Error> CommandRates::take(Session& session, Rated what, std::int64_t now_us) const {
  if (session.framing.carrier == Carrier::kInProcess) return std::nullopt;
  const auto kind = static_cast<std::size_t>(what);
  const RatedRow& row = kRated.at(kind);
  const Rate rate = limits_.session.at(kind);
  const TokenBucket::Taken own = session.rates.at(kind).take(rate, now_us, TokenBucket::Refused::kCharged);
  if (own.abused) session.close(CloseCode::kPolicy, "over its rate again and again; see retry_after_ms");
  if (!own.ok()) return too_many(row.name, "a session", rate, row.of_session, own.wait_us);
  if (shared_ == nullptr) return std::nullopt;
  const TokenBucket::Taken all = shared_->of(what).take(session.client.address, now_us);
  if (all.ok()) return std::nullopt;
  return too_many(row.name, "an address", limits_.address.at(kind), row.of_address, all.wait_us);
}

}  // namespace tickwire
