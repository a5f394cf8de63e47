#include "hub/directory.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

namespace tickwire {

// --- finding --------------------------------------------------------------------------------------------

Topic* Directory::find_kept(std::string_view name) const {
  const SharedLock lock(mutex_);
  Topic* const topic = topics_.find(name);
  return topic != nullptr && topic->kept() ? topic : nullptr;
}

void Directory::find_kept(std::span<const std::string_view> names, std::span<Topic*> topics) const {
  std::array<std::size_t, kFindMax> hashes{};
  const SharedLock lock(mutex_);
  for (std::size_t i = 0; i < names.size(); ++i) {
    hashes.at(i) = TopicIndex::hash(names[i]);
    topics_.prefetch(hashes.at(i));
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    Topic* const topic = topics_.find(names[i], hashes.at(i));
    topics[i] = topic != nullptr && topic->kept() ? topic : nullptr;
  }
}

TopicPtr Directory::find(std::string_view name) const {
  const SharedLock lock(mutex_);
  Topic* const topic = topics_.find(name);
  return topic == nullptr ? nullptr : topic->shared_from_this();
}

Delivery Directory::delivery_of(std::string_view name) const {
  const SharedLock lock(mutex_);
  if (const Topic* const topic = topics_.find(name)) return topic->delivery();
  return rules_.judge(name).traits(std::nullopt).delivery;
}

std::vector<TopicPtr> Directory::topics_after(std::string& after) const {
  std::vector<TopicPtr> run;
  const SharedLock lock(mutex_);
  auto it = by_name_.upper_bound(std::string_view(after));
  for (; it != by_name_.end() && run.size() < kDirectoryRun; ++it) run.push_back(*it);
  if (!run.empty()) after = run.back()->name;
  return run;
}

void Directory::create(std::string_view name) {
  const ExclusiveLock lock(mutex_);
  if (topics_.find(name) != nullptr) return;
  TopicId id = next_id_;
  if (free_ids_.empty()) {
    ++next_id_;
  } else {
    id = free_ids_.back();
    free_ids_.pop_back();
  }
  SinkBits sinks = 0;
  patterns_.each_match(name, [&sinks](SinkBits more) { sinks |= more; });
  auto topic = std::make_shared<Topic>(std::string(name), id, sinks, commons_);
  topic->follow(rules_.judge(name));
  topics_.insert(*topic);
  by_name_.insert(std::move(topic));
  commons_.topic_count = topics_.size();
}

// --- rules ----------------------------------------------------------------------------------------------

void Directory::set_rules(const std::vector<TopicRule>& rules) {
  const MutexLock changing(changing_);
  {
    const ExclusiveLock lock(mutex_);
    rules_.set(rules);
  }
  follow_rules();
}

Status Directory::add_rule(const TopicRule& rule) {
  const MutexLock changing(changing_);
  {
    const ExclusiveLock lock(mutex_);
    if (Status added = rules_.add(rule); !added) return added;
  }
  follow_rules();
  return ok_status();
}

void Directory::follow_rules() {
  std::string after;
  while (true) {
    const std::vector<TopicPtr> run = topics_after(after);
    if (run.empty()) return;
    const SharedLock lock(mutex_);
    for (const TopicPtr& topic : run) topic->follow(rules_.judge(topic->name));
  }
}

void Directory::declare(std::string_view name, Delivery declared) {
  with_topic(name, [declared](Topic& topic) { topic.set_declared(declared); });
  const TopicPtr topic = find(name);
  const SharedLock lock(mutex_);
  if (topic != nullptr) topic->follow(rules_.judge(name));
}

// --- interest -------------------------------------------------------------------------------------------

void Directory::add_pattern(SinkId sink, const Pattern& pattern) {
  const ExclusiveLock lock(mutex_);
  patterns_.at(pattern) |= bit_of(sink);
  commons_.pattern_count = patterns_.size();
}

void Directory::drop_pattern(SinkId sink, const Pattern& pattern) {
  const ExclusiveLock lock(mutex_);
  SinkBits* const sinks = patterns_.find(pattern.text());
  assert(sinks != nullptr && (*sinks & bit_of(sink)) != 0);
  *sinks &= ~bit_of(sink);
  if (*sinks == 0) patterns_.erase(pattern);
  commons_.pattern_count = patterns_.size();
}

void Directory::drop_sink(SinkId sink) {
  const ExclusiveLock lock(mutex_);
  patterns_.erase_if([sink](SinkBits& sinks) { return (sinks &= ~bit_of(sink)) == 0; });
  commons_.pattern_count = patterns_.size();
}

void Directory::note_unused(Topic& topic) {
  {
    const MutexLock lock(unused_mutex_);
    unused_.push_back(&topic);
    if (unused_.size() < kDirectoryRun) return;
  }
  erase_unused();
}

void Directory::erase_unused() {
  std::vector<Topic*> noted;
  {
    const MutexLock lock(unused_mutex_);
    noted.swap(unused_);
  }
  for (std::span<Topic* const> left = noted; !left.empty();) {
    const std::size_t some = std::min(left.size(), kDirectoryRun);
    erase(left.first(some));
    left = left.subspan(some);
  }
}

void Directory::erase(std::span<Topic* const> topics) {
  std::vector<TopicsByName::node_type> gone;  // outlive the lock
  gone.reserve(topics.size());
  Work::count(2 * topics.size());
  const ExclusiveLock lock(mutex_);
  for (Topic* const topic : topics) {
    if (!topic->still_unused()) continue;
    free_ids_.push_back(topic->id);
    topics_.erase(*topic);
    gone.push_back(by_name_.extract(by_name_.find(topic->name)));
  }
  commons_.topic_count = topics_.size();
}

}  // namespace tickwire
