// What a topic is (delivery) and how it is (status). Plain values; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tickwire {

// value: an update is a set of fields, the latest image is all that matters, so conflation loses nothing.
// event: every message matters; a ring keeps the last ones for those who were away.
enum class Delivery : std::uint8_t { kValue, kEvent };

enum class TopicStatus : std::uint8_t { kLive, kStale, kHalted, kClosed };

inline constexpr std::array<std::string_view, 2> kDeliveryNames{"value", "event"};
inline constexpr std::array<std::string_view, 4> kTopicStatusNames{"live", "stale", "halted", "closed"};

inline std::string_view name_of(Delivery value) {
  return kDeliveryNames.at(static_cast<std::size_t>(value));
}
inline std::string_view name_of(TopicStatus value) {
  return kTopicStatusNames.at(static_cast<std::size_t>(value));
}

// Only an update of a topic that is halted or closed does not make it live.
inline TopicStatus after_update(TopicStatus status) {
  const bool stays = status == TopicStatus::kHalted || status == TopicStatus::kClosed;
  return stays ? status : TopicStatus::kLive;
}

// The value of that name, or nothing.
std::optional<Delivery> parse_delivery(std::string_view name);
std::optional<TopicStatus> parse_topic_status(std::string_view name);

}  // namespace tickwire
