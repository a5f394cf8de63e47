#include "model/pattern_filter.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/work.h"

namespace tickwire {
namespace {

bool matches(const PatternSetPtr& set, std::string_view topic) {
  return set != nullptr && set->matches(topic);
}

bool same_patterns(const PatternSetPtr& one, const PatternSetPtr& other) {
  if (one == nullptr || other == nullptr) return one == other;
  return one == other || one->key() == other->key();
}

}  // namespace

PatternSet::PatternSet(std::vector<Pattern> patterns) : patterns_(std::move(patterns)) {
  std::vector<std::string_view> texts;
  texts.reserve(patterns_.size());
  for (const Pattern& pattern : patterns_) {
    Work::count();
    texts.emplace_back(pattern.text());
    index_.at(pattern) = true;
  }
  std::ranges::sort(texts);
  const auto again = std::ranges::unique(texts);
  texts.erase(again.begin(), again.end());
  for (const std::string_view text : texts) key_.append(text).append(",");  // which no pattern has
}

PatternFilter::PatternFilter(PatternSetPtr shown, PatternSetPtr open, const std::vector<GuardPart>& guards)
    : shown_(std::move(shown)), open_(std::move(open)) {
  for (const GuardPart& part : guards) guards_.push_back({part.guard, part.all, PatternSet(part.only)});
  std::ranges::sort(guards_, [](const Guard& one, const Guard& other) {
    return std::tie(one.guard.text(), one.all, one.only.key()) <
           std::tie(other.guard.text(), other.all, other.only.key());
  });
}

bool PatternFilter::lets(std::string_view topic) const {
  if (matches(shown_, topic)) return true;
  bool known = matches(open_, topic);
  for (const Guard& guard : guards_) {
    if (!guard.guard.matches(topic)) continue;
    if (!guard.all && !guard.only.matches(topic)) return false;
    known = true;
  }
  return known;
}

bool PatternFilter::operator==(const PatternFilter& other) const {
  const auto equal = [](const Guard& one, const Guard& two) {
    return one.guard.text() == two.guard.text() && one.all == two.all && one.only.key() == two.only.key();
  };
  return same_patterns(shown_, other.shown_) && same_patterns(open_, other.open_) &&
         std::ranges::equal(guards_, other.guards_, equal);
}

}  // namespace tickwire
