#include "hub/topic_rules.h"

#include <utility>

namespace tickwire {

void TopicRules::set(const std::vector<TopicRule>& rules) {
  std::erase_if(rules_, [](const Rule& rule) { return !rule.from_feed; });
  std::vector<Rule> all;
  all.reserve(rules.size() + rules_.size());
  for (const TopicRule& rule : rules) all.push_back({Pattern::parse(rule.pattern).value(), rule, false});
  all.insert(all.end(), rules_.begin(), rules_.end());
  rules_.swap(all);
}

Status TopicRules::add(const TopicRule& rule) {
  Result<Pattern> pattern = Pattern::parse(rule.pattern);
  if (!pattern) return pattern.error();
  rules_.push_back({std::move(*pattern), rule, true});
  return ok_status();
}

TopicRules::Ruling TopicRules::judge(std::string_view topic) const {
  const auto fill = [](auto& open, const auto& value) {
    if (!open) open = value;
  };
  Ruling ruling;
  for (const auto& [pattern, rule, from_feed] : rules_) {
    if (!pattern.matches(topic)) continue;
    fill(ruling.all.delivery, rule.delivery);
    fill(ruling.all.ring, rule.ring);
    fill(ruling.all.ring_ms, rule.ring_ms);
    fill(ruling.all.stale_after_ms, rule.stale_after_ms);
    fill(ruling.all.stored, rule.stored);
    if (!from_feed) continue;
    ruling.has_feed = true;
    fill(ruling.declared, rule.delivery);
  }
  return ruling;
}

TopicTraits TopicRules::Ruling::traits(std::optional<Delivery> kept) const {
  constexpr TopicTraits kDefault;
  return {all.delivery.value_or(kept.value_or(kDefault.delivery)), all.ring.value_or(kDefault.ring),
          all.ring_ms.value_or(kDefault.ring_ms), all.stale_after_ms.value_or(kDefault.stale_after_ms),
          all.stored.value_or(kDefault.stored)};
}

}  // namespace tickwire
