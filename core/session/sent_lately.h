// SentLately: what subscriptions of a session that have ended may have sent within the time that their
// max_rate keeps between two messages. Whoever begins again with these topics waits for that time, where the
// rate is one that it may not exceed.
//
// Loop thread. It takes at most kSentLatelyMax patterns; beyond them it takes every topic for sent.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "model/topic_name.h"

namespace tickwire {

inline constexpr std::size_t kSentLatelyMax = 64;

class SentLately {
 public:
  // `text`: a valid topic or pattern.
  void note(std::string_view text, std::int64_t until_us, std::int64_t now_us) {
    std::erase_if(ended_, [now_us](const Ended& ended) { return ended.until_us <= now_us; });
    if (ended_.size() == kSentLatelyMax) {
      for (const Ended& ended : ended_) until_us = std::max(until_us, ended.until_us);
      ended_.clear();
      text = ">";
    }
    ended_.push_back({Pattern::parse(text).value(), until_us});
  }
  [[nodiscard]] bool has(const Pattern& pattern, std::int64_t now_us) const {
    return std::ranges::any_of(ended_, [&](const Ended& ended) {
      return ended.until_us > now_us && ended.pattern.overlaps(pattern);
    });
  }

 private:
  struct Ended {
    Pattern pattern;
    std::int64_t until_us = 0;
  };
  std::vector<Ended> ended_;
};

}  // namespace tickwire
