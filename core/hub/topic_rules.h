// TopicRules: how topics behave, as the configuration and the feeds say it of patterns.
//
// Plain values; the directory's lock protects its TopicRules.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "model/topic_kind.h"
#include "model/topic_name.h"

namespace tickwire {

// How a topic behaves.
struct TopicTraits {
  Delivery delivery = Delivery::kValue;
  std::uint32_t ring = 64;          // updates kept for those who were away
  std::int64_t ring_ms = 0;         // age at which they go; 0: none
  std::int64_t stale_after_ms = 0;  // 0: age alone never makes it stale
  bool stored = false;              // the store keeps the ring too

  // Time alone changes it.
  [[nodiscard]] bool ages() const { return ring_ms > 0 || stale_after_ms > 0; }
};

// How the topics of a pattern behave; the config's topics."pattern" tables. What a rule leaves open, the next
// one that matches decides, at last TopicTraits.
struct TopicRule {
  std::string pattern = ">";
  std::optional<Delivery> delivery = {};
  std::optional<std::uint32_t> ring = {};
  std::optional<std::int64_t> ring_ms = {};
  std::optional<std::int64_t> stale_after_ms = {};
  std::optional<bool> stored = {};
};

class TopicRules {
 public:
  // What all rules say of one topic.
  struct Ruling {
    TopicRule all;                     // what is open in it, no rule decides
    bool has_feed = false;             // a feed's rule matches
    std::optional<Delivery> declared;  // by the first feed's rule that decides it

    // `kept`: the delivery that the store kept, where no feed has spoken.
    [[nodiscard]] TopicTraits traits(std::optional<Delivery> kept) const;
  };

  // The configuration's, in place of those before; they come before those of feeds. Patterns must be valid.
  void set(const std::vector<TopicRule>& rules);
  // A feed's, after all others. kBadTopic.
  Status add(const TopicRule& rule);
  [[nodiscard]] Ruling judge(std::string_view topic) const;

 private:
  struct Rule {
    Pattern pattern;
    TopicRule rule;
    bool from_feed;
  };
  std::vector<Rule> rules_;
};

}  // namespace tickwire
