// An update as a turn applied it, and what a pattern's subscribers were sent before it. Loop thread; valid
// within the turn.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "codec/assembled.h"
#include "fanout/topic_table.h"
#include "protocol/format.h"
#include "session/subscription.h"

namespace tickwire {

struct Applied {
  const Update* update = nullptr;
  TopicState* state = nullptr;
  std::uint64_t apply_no = 0;
  std::uint64_t previous_no = 0;    // the topic's apply_no before
  std::array<UpdatePtr, 2> before;  // the topic's data updates before it, nearest first; null: not known
  std::uint64_t seq_before = 0;     // the topic's seq that was applied before
  bool skips = false;               // updates between that and this one never came
};

// A data update in a pattern's own sequence, whose last messages are the bases of its subscribers.
struct PatternStep {
  std::uint64_t apply_no = 0;
  std::array<PatternSent, 2> before;                                  // nearest first
  mutable PerFormat<std::array<std::optional<Assembled>, 2>> linked;  // against one base, against both
};

// An update on its way to one subscription.
struct LiveItem {
  SubscriptionIndex index = 0;
  const Applied* applied = nullptr;
  const PatternStep* step = nullptr;  // patterns, data updates
};

}  // namespace tickwire
