#include "model/topic_kind.h"

namespace tickwire {
namespace {

template <typename T, typename Names>
std::optional<T> parse_name(const Names& names, std::string_view name) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names.at(i) == name) return static_cast<T>(i);
  }
  return std::nullopt;
}

}  // namespace

std::optional<Delivery> parse_delivery(std::string_view name) {
  return parse_name<Delivery>(kDeliveryNames, name);
}

std::optional<TopicStatus> parse_topic_status(std::string_view name) {
  return parse_name<TopicStatus>(kTopicStatusNames, name);
}

}  // namespace tickwire
