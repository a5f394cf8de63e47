// covers: whether whoever may see all that matches one pattern may see all that matches another.
// No state; any thread.
#pragma once

#include <algorithm>
#include <string_view>
#include <vector>

#include "base/work.h"
#include "model/topic_name.h"

namespace tickwire {

// Every topic that `text` (a valid topic or pattern) names or matches is matched by `pattern`, too.
inline bool covers(const Pattern& pattern, std::string_view text) {
  // As a token of a topic, `*` is matched by wildcards alone; `>`, which stands for several tokens, by `>`
  // alone.
  if (text.ends_with('>') && !pattern.text().ends_with('>')) return false;
  return pattern.matches(text);
}

// One of them does.
inline bool covers(const std::vector<Pattern>& patterns, std::string_view text) {
  constexpr std::size_t kPatternsAStep = 8;
  Work::count(patterns.size() / kPatternsAStep);
  return std::ranges::any_of(patterns, [text](const Pattern& pattern) { return covers(pattern, text); });
}

// A topic may match both `text` (valid) and one of them.
inline bool overlaps(const std::vector<Pattern>& patterns, std::string_view text) {
  const Pattern pattern = Pattern::parse(text).value();
  return std::ranges::any_of(patterns, [&](const Pattern& each) { return each.overlaps(pattern); });
}

}  // namespace tickwire
