// What looks at many topics of the directory: a run of them at a time, so that nobody waits long for its
// lock.
#include "hub/hub.h"

#include <algorithm>
#include <mutex>
#include <shared_mutex>
#include <utility>

namespace tickwire {

template <typename Each>
bool Hub::scan(const Pattern& pattern, std::string& after, const Each& each) const {
  const std::string_view prefix = pattern.prefix();
  const std::shared_lock lock(directory_mutex_);
  auto it = after < prefix ? by_name_.lower_bound(prefix) : by_name_.upper_bound(std::string_view(after));
  const std::string* last = nullptr;
  for (std::size_t looked = 0; looked < kDirectoryRun; ++looked, ++it) {
    if (it == by_name_.end() || !(*it)->name.starts_with(prefix)) return true;
    Work::count();
    last = &(*it)->name;
    if (pattern.matches(*last)) each(*it);
  }
  after = *last;
  return false;
}

std::vector<TopicPtr> Hub::topics_after(std::string& after) const {
  std::vector<TopicPtr> run;
  const std::shared_lock lock(directory_mutex_);
  auto it = by_name_.upper_bound(std::string_view(after));
  for (; it != by_name_.end() && run.size() < kDirectoryRun; ++it) run.push_back(*it);
  if (!run.empty()) after = run.back()->name;
  return run;
}

std::vector<UpdatePtr> Hub::list(const Pattern& pattern, std::string_view after, std::size_t limit) const {
  std::vector<UpdatePtr> out;
  std::string from(after);
  list(pattern, from, limit, Budget::unlimited(), out);
  return out;
}

bool Hub::list(const Pattern& pattern, std::string& after, std::size_t limit, const Budget& budget,
               std::vector<UpdatePtr>& out) const {
  while (out.size() < limit && !budget.spent()) {
    const std::size_t before = out.size();
    std::vector<TopicPtr> found;
    const bool end = scan(pattern, after, [&](const TopicPtr& topic) { found.push_back(topic); });
    for (const TopicPtr& topic : found) {
      UpdatePtr last = topic->last();
      if (!last) continue;
      if (out.size() == limit) {  // no more than asked for: the next piece begins after the last one of these
        after = out.back()->topic().name;
        return false;
      }
      out.push_back(std::move(last));
    }
    Work::count(out.size() - before);
    if (end) return true;
  }
  return false;
}

bool Hub::join_topics(SinkId sink, const Pattern& pattern, std::string& after, std::vector<Interest>& out) {
  const std::uint64_t bit = std::uint64_t{1} << sink;
  return scan(pattern, after, [&](const TopicPtr& topic) {
    Work::count();
    const TopicLock lock(topic->mutex_);
    out.push_back({topic.get(), topic->last_, (topic->sinks_ & bit) != 0});
    topic->sinks_ |= bit;
  });
}

// --- rules ----------------------------------------------------------------------------------------------

void Hub::set_rules(const std::vector<TopicRule>& rules) {
  const std::lock_guard changing(rules_mutex_);
  {
    const DirectoryLock lock(directory_mutex_);
    std::erase_if(rules_, [](const Rule& rule) { return !rule.from_feed; });
    std::vector<Rule> all;
    all.reserve(rules.size() + rules_.size());
    for (const TopicRule& rule : rules) all.push_back({Pattern::parse(rule.pattern).value(), rule, false});
    all.insert(all.end(), rules_.begin(), rules_.end());
    rules_.swap(all);
  }
  follow_rules();
}

Status Hub::add_rule(const TopicRule& rule) {
  Result<Pattern> pattern = Pattern::parse(rule.pattern);
  if (!pattern) return pattern.error();
  const std::lock_guard changing(rules_mutex_);
  {
    const DirectoryLock lock(directory_mutex_);
    rules_.push_back({std::move(*pattern), rule, true});
  }
  follow_rules();
  return ok_status();
}

void Hub::follow_rules() {
  const Pattern all = Pattern::parse(">").value();
  std::string after;
  while (!scan(all, after, [this](const TopicPtr& topic) { apply_rules(*topic); })) {
  }
}

void Hub::apply_rules(Topic& topic) {
  TopicRule all;
  std::optional<Delivery> declared;
  bool has_feed = false;
  const auto fill = [](auto& open, const auto& value) {
    if (!open) open = value;
  };
  for (const auto& [pattern, rule, from_feed] : rules_) {
    if (!pattern.matches(topic.name)) continue;
    fill(all.delivery, rule.delivery);
    fill(all.ring, rule.ring);
    fill(all.ring_ms, rule.ring_ms);
    fill(all.stale_after_ms, rule.stale_after_ms);
    fill(all.stored, rule.stored);
    if (!from_feed) continue;
    has_feed = true;
    fill(declared, rule.delivery);
  }
  constexpr TopicTraits kDefault;
  const TopicLock lock(topic.mutex_);
  if (has_feed) topic.declared_ = declared;
  fill(all.delivery, topic.declared_);
  topic.traits_ = {all.delivery.value_or(kDefault.delivery), all.ring.value_or(kDefault.ring),
                   all.ring_ms.value_or(kDefault.ring_ms),
                   all.stale_after_ms.value_or(kDefault.stale_after_ms),
                   all.stored.value_or(kDefault.stored)};
  topic.delivery_ = topic.traits_.delivery;
  if (topic.traits_.stale_after_ms == 0) {
    topic.heard_us_ = 0;
  } else if (topic.heard_us_ == 0) {  // its age was not known until now, and counts from here
    topic.heard_us_ = clock_.steady_us();
  }
  if (!topic.last_) return;
  if (topic.last_->delivery() != topic.delivery()) topic.last_ = Update::delivered(*topic.last_, topic.delivery());
  topic.trim_ring(clock_.wall_ms(), ring_share());
  look_later(lock, topic);
}

}  // namespace tickwire
