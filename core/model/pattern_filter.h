// PatternFilter: which topics of a pattern somebody may see who may not see all of them. Whoever may see a
// topic for more than one reason sees it:
//
// - a token allows it (`shown`), whatever else holds; or
// - it is open to all, or a guard speaks for it, and each guard that does lets it be seen. A guard lets all
// of
//   its topics be seen, or those of a list, which may be empty.
//
// It knows nothing of the pattern that it is a part of. Immutable, so that it can be shared; any thread.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "model/pattern_index.h"
#include "model/topic_name.h"

namespace tickwire {

// Patterns, and quickly which topics match one of them. Immutable; any thread.
class PatternSet {
 public:
  // Takes time for each pattern, which it counts as Work.
  explicit PatternSet(std::vector<Pattern> patterns);

  [[nodiscard]] const std::vector<Pattern>& patterns() const { return patterns_; }
  // `topic` must be valid.
  [[nodiscard]] bool matches(std::string_view topic) const { return index_.any_match(topic); }
  // The same as that of every other set of these patterns, and of no other.
  [[nodiscard]] const std::string& key() const { return key_; }

 private:
  std::vector<Pattern> patterns_;
  PatternIndex<bool> index_;
  std::string key_;
};

// Null is a set of no patterns.
using PatternSetPtr = std::shared_ptr<const PatternSet>;

// What the guard of some topics lets of them be seen.
struct GuardPart {
  Pattern guard;
  bool all = false;
  std::vector<Pattern> only = {};  // where it is not all
};

class PatternFilter {
 public:
  PatternFilter(PatternSetPtr shown, PatternSetPtr open, const std::vector<GuardPart>& guards);

  // `topic` must be valid.
  [[nodiscard]] bool lets(std::string_view topic) const;
  // Both were made of the same.
  [[nodiscard]] bool operator==(const PatternFilter& other) const;

 private:
  struct Guard {
    Pattern guard;
    bool all = false;
    PatternSet only;
  };

  PatternSetPtr shown_;
  PatternSetPtr open_;
  std::vector<Guard> guards_;  // in order of their patterns
};

// Null: all of the pattern's topics.
using FilterPtr = std::shared_ptr<const PatternFilter>;

inline bool same(const FilterPtr& one, const FilterPtr& other) {
  return one == other || (one != nullptr && other != nullptr && *one == *other);
}
inline bool lets(const FilterPtr& filter, std::string_view topic) {
  return filter == nullptr || filter->lets(topic);
}

}  // namespace tickwire
