#include "hub/demand.h"

#include <algorithm>

#include "base/work.h"

namespace tickwire {

void Demand::set_listener(DemandListener* listener) {
  const MutexLock lock(mutex_);
  listener_ = listener;
}

void Demand::add_feed(std::uint32_t feed, const Pattern& pattern,
                      std::optional<std::vector<std::string>> topics) {
  const MutexLock lock(mutex_);
  Feed added{pattern, std::nullopt, {}, false};
  if (topics) added.topics.emplace(topics->begin(), topics->end());
  update_all(feed, feeds_.insert_or_assign(feed, std::move(added)).first->second);
}

void Demand::set_feed_topics(std::uint32_t feed, std::vector<std::string> topics) {
  const MutexLock lock(mutex_);
  const auto found = feeds_.find(feed);
  if (found == feeds_.end()) return;
  found->second.topics.emplace(topics.begin(), topics.end());
  update_all(feed, found->second);
}

void Demand::remove_feed(std::uint32_t feed) {
  const MutexLock lock(mutex_);
  feeds_.erase(feed);
}

bool Demand::follow(std::uint32_t feed) {
  const MutexLock lock(mutex_);
  const auto found = feeds_.find(feed);
  return found != feeds_.end() && !std::exchange(found->second.follows, true);
}

bool Demand::is_given_up(std::uint32_t feed, std::string_view topic) const {
  const MutexLock lock(mutex_);
  const auto found = feeds_.find(feed);
  if (found == feeds_.end() || !found->second.follows) return false;
  const Feed& known = found->second;
  const bool could_be_asked =
      known.pattern.matches(topic) && (!known.topics || known.topics->contains(topic));
  return could_be_asked && !known.wanted.contains(topic);
}

std::vector<std::pair<std::uint32_t, std::string>> Demand::take_given_up() {
  const MutexLock lock(mutex_);
  return std::exchange(given_up_, {});
}

void Demand::topic_wanted(const std::string& topic, bool wanted) {
  const MutexLock lock(mutex_);
  const auto entry = topics_.try_emplace(topic, 0).first;
  entry->second += wanted ? 1 : -1;
  const bool changed = wanted ? entry->second == 1 : entry->second == 0;
  if (entry->second == 0) topics_.erase(entry);
  if (!changed) return;
  for (auto& [id, feed] : feeds_) {
    if (feed.pattern.matches(topic)) update_one(id, feed, topic);
  }
}

void Demand::pattern_wanted(const Pattern& pattern, const FilterPtr& filter, bool wanted) {
  const MutexLock lock(mutex_);
  std::vector<WantedPart>& parts = patterns_.at(pattern);
  auto part =
      std::ranges::find_if(parts, [&](const WantedPart& known) { return same(known.filter, filter); });
  // All of the pattern, which has every topic, comes first.
  if (part == parts.end()) part = parts.insert(filter == nullptr ? parts.begin() : parts.end(), {filter});
  part->sinks += wanted ? 1 : -1;
  const bool changed = part->sinks == (wanted ? 1 : 0);
  if (part->sinks == 0) parts.erase(part);
  if (parts.empty()) patterns_.erase(pattern);
  if (!changed) return;
  for (auto& [id, feed] : feeds_) {
    if (feed.topics && feed.pattern.overlaps(pattern)) update_matching(id, feed, pattern, filter, wanted);
  }
}

bool Demand::is_wanted(const Feed& feed, std::string_view topic) const {
  if (!feed.pattern.matches(topic)) return false;
  if (feed.topics && !feed.topics->contains(topic)) return false;
  if (topics_.contains(topic)) return true;
  if (!feed.topics) return false;
  bool any = false;
  patterns_.each_match(topic, [&](const std::vector<WantedPart>& parts) {
    any = any || std::ranges::any_of(parts, [topic](const auto& part) { return lets(part.filter, topic); });
  });
  return any;
}

void Demand::update_one(std::uint32_t id, Feed& feed, const std::string& topic) {
  set_wanted(id, feed, topic, is_wanted(feed, topic));
}

void Demand::set_wanted(std::uint32_t id, Feed& feed, const std::string& topic, bool now) {
  if (now == feed.wanted.contains(topic)) return;
  if (now) {
    feed.wanted.insert(topic);
  } else {
    feed.wanted.erase(topic);
    if (feed.follows) given_up_.emplace_back(id, topic);
  }
  if (listener_ != nullptr) listener_->on_demand(id, topic, now);
}

void Demand::update_matching(std::uint32_t id, Feed& feed, const Pattern& pattern, const FilterPtr& filter,
                             bool wanted) {
  const std::string_view prefix = pattern.prefix();
  for (auto topic = feed.topics->lower_bound(prefix);
       topic != feed.topics->end() && topic->starts_with(prefix); ++topic) {
    Work::count();
    if (!pattern.matches(*topic) || !lets(filter, *topic)) continue;
    if (wanted && feed.pattern.matches(*topic)) {
      set_wanted(id, feed, *topic, true);
    } else {
      update_one(id, feed, *topic);
    }
  }
}

void Demand::update_all(std::uint32_t id, Feed& feed) {
  const std::vector<std::string> before(feed.wanted.begin(), feed.wanted.end());
  for (const std::string& topic : before) update_one(id, feed, topic);
  if (feed.topics) {
    for (const std::string& topic : *feed.topics) update_one(id, feed, topic);
  } else {
    for (const auto& entry : topics_) update_one(id, feed, entry.first);
  }
}

}  // namespace tickwire
