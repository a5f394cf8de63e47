// Limit: what a client or the whole plant may have or do at most, by the one name under which the
// configuration (limits.<name>), the counter tickwire_limited_total and docs/SECURITY.md know it.
//
// Values; any thread. Defaults stand where a limit is enforced; engine/limit_rows.cc lists them all.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tickwire {

enum class Limit : std::uint8_t {
  kConnections,
  kConnectionsPerAddress,
  kNewConnections,
  kUnauthenticated,
  kCommands,
  kCommandsPerAddress,
  kLists,
  kListsPerAddress,
  kPublishes,
  kPublishesPerAddress,
  kTopicsPerCommand,
  kJsonElements,
  kSubscriptions,
  kPatternsPerSession,
  kCommandsPending,
  kTopics,
  kPatterns,
  kImages,
  kMemory,
};

// In the order of Limit.
inline constexpr std::array<std::string_view, 19> kLimitNames{
    "connections_max",
    "connections_per_address_max",
    "new_connections_per_s",
    "unauthenticated_s_max",
    "commands_per_s",
    "commands_per_address_per_s",
    "lists_per_s",
    "lists_per_address_per_s",
    "publishes_per_s",
    "publishes_per_address_per_s",
    "topics_per_command_max",
    "json_elements_max",
    "subscriptions_per_session_max",
    "patterns_per_session_max",
    "commands_pending_max",
    "topics_max",
    "patterns_max",
    "images_mb",
    "memory_mb",
};
static_assert(kLimitNames.size() == static_cast<std::size_t>(Limit::kMemory) + 1);

constexpr std::string_view name_of(Limit limit) {
  return kLimitNames.at(static_cast<std::size_t>(limit));
}

}  // namespace tickwire
