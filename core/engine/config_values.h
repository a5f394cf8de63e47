// The types of configuration values that are more than a number or a text: enums, whose names stand beside
// them, and secrets. Values; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bridge/bridge.h"
#include "model/topic_kind.h"
#include "net/net_config.h"

namespace tickwire {

enum class OnDamage : std::uint8_t { kRefuse, kStartEmpty };
enum class History : std::uint8_t { kMemory, kStored };
enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarning, kError, kOff };

// The names of an enum's values, in the order of the values.
template <typename Enum>
struct Names;
template <>
struct Names<OnDamage> {
  static constexpr std::array<std::string_view, 2> kAll{"refuse", "start-empty"};
};
template <>
struct Names<History> {
  static constexpr std::array<std::string_view, 2> kAll{"memory", "stored"};
};
template <>
struct Names<LogLevel> {
  static constexpr std::array<std::string_view, 5> kAll{"debug", "info", "warning", "error", "off"};
};
template <>
struct Names<PublishPolicy> {
  static constexpr std::array<std::string_view, 3> kAll{"none", "open", "grant"};
};
template <>
struct Names<TlsVersion> {
  static constexpr std::array<std::string_view, 2> kAll{"1.2", "1.3"};
};
template <>
struct Names<ProxyHeader> {
  static constexpr std::array<std::string_view, 3> kAll{"none", "x-forwarded-for", "forwarded"};
};
template <>
struct Names<Delivery> {
  static constexpr std::array<std::string_view, 2> kAll = kDeliveryNames;
};

template <typename Enum>
constexpr std::string_view config_name(Enum value) {
  return Names<Enum>::kAll.at(static_cast<std::size_t>(value));
}

// Texts; a single one may stand without the brackets of a list.
struct OneOrMore {
  std::vector<std::string> texts;
};

// A text that nothing prints by accident: it has to be asked for.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}
  [[nodiscard]] bool empty() const { return text_.empty(); }
  [[nodiscard]] const std::string& reveal() const { return text_; }

 private:
  std::string text_;
};

}  // namespace tickwire
