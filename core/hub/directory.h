// Directory: the topics that there are: by name and in the order of their names, with their ids, the rules
// that say how they behave, and the patterns whose sinks a new topic is delivered to.
//
// Any thread. Owns the topics. Its lock is taken before a topic's, never after. It is held exclusively to add
// or remove one topic, rule or pattern, or to remove at most kDirectoryRun unused topics; everything that
// looks at many topics takes it shared, for kDirectoryRun of them at a time.
#pragma once

#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "base/work.h"
#include "hub/topic.h"
#include "hub/topic_index.h"
#include "hub/topic_rules.h"
#include "model/pattern_index.h"
#include "model/topic_name.h"

namespace tickwire {

// Topics that are looked at while the directory is locked, before others get it.
inline constexpr std::size_t kDirectoryRun = 256;

class Directory {
 public:
  explicit Directory(TopicCommons& commons) : commons_(commons) {}

  // --- finding ----------------------------------------------------------------------------------------
  // Null: there is none, or it has no update yet. One that has an update is never erased.
  [[nodiscard]] Topic* find_kept(std::string_view name) const;
  // The same of many, at most kFindMax; has the memory of all of them on its way at once.
  static constexpr std::size_t kFindMax = 16;
  void find_kept(std::span<const std::string_view> names, std::span<Topic*> topics) const;
  // Null: there is none.
  [[nodiscard]] TopicPtr find(std::string_view name) const;
  // Calls `use` with the topic, which is made when it is new, and returns what that returns. It is not erased
  // meanwhile. `name` must be valid.
  template <typename Use>
  auto with_topic(std::string_view name, const Use& use) {
    while (true) {
      {
        const SharedLock lock(mutex_);
        if (Topic* const topic = topics_.find(name)) return use(*topic);
      }
      create(name);
    }
  }
  // Of a topic, or of what it would be. `name` must be valid.
  [[nodiscard]] Delivery delivery_of(std::string_view name) const;
  // Some kDirectoryRun of all topics, in order of name, those after `after`, which is moved on; none: there
  // are no more.
  [[nodiscard]] std::vector<TopicPtr> topics_after(std::string& after) const;
  // Looks at a run of the topics that may match, those after `after`, which is moved on; `each` is called
  // with those that do. True: there are no more.
  template <typename Each>
  bool scan(const Pattern& pattern, std::string& after, const Each& each) const;
  template <typename Each>
  void each_topic(const Each& each) const {
    std::string after;
    for (auto run = topics_after(after); !run.empty(); run = topics_after(after)) {
      for (const TopicPtr& topic : run) each(*topic);
    }
  }

  // --- rules ------------------------------------------------------------------------------------------
  // As TopicRules; existing topics follow.
  void set_rules(const std::vector<TopicRule>& rules) EXCLUDES(changing_);
  Status add_rule(const TopicRule& rule) EXCLUDES(changing_);
  // The delivery that the store kept of a topic, which is made when it is new.
  void declare(std::string_view name, Delivery declared);

  // --- interest ---------------------------------------------------------------------------------------
  // From now on new topics that match are delivered to the sink.
  void add_pattern(SinkId sink, const Pattern& pattern);
  void drop_pattern(SinkId sink, const Pattern& pattern);
  void drop_sink(SinkId sink);

  // Topic::drop_interest said that it is not used any more. It is erased by and by, many at once.
  void note_unused(Topic& topic) EXCLUDES(unused_mutex_);
  // Erases those that were noted and are still unused.
  void erase_unused() EXCLUDES(unused_mutex_);

 private:
  struct ByName {
    using is_transparent = void;
    bool operator()(const TopicPtr& a, const TopicPtr& b) const { return a->name < b->name; }
    bool operator()(std::string_view a, const TopicPtr& b) const { return a < b->name; }
    bool operator()(const TopicPtr& a, std::string_view b) const { return a->name < b; }
  };
  using TopicsByName = std::set<TopicPtr, ByName>;

  // Nothing where it is known.
  void create(std::string_view name);
  void follow_rules() REQUIRES(changing_);
  void erase(std::span<Topic* const> topics);

  TopicCommons& commons_;
  Mutex changing_;  // the rules, one change at a time, to its end
  mutable SharedMutex mutex_ ACQUIRED_AFTER(changing_);
  TopicIndex topics_ GUARDED_BY(mutex_);     // those of by_name_
  TopicsByName by_name_ GUARDED_BY(mutex_);  // owns them
  std::vector<TopicId> free_ids_ GUARDED_BY(mutex_);
  TopicId next_id_ GUARDED_BY(mutex_) = 0;
  TopicRules rules_ GUARDED_BY(mutex_);
  PatternIndex<SinkBits> patterns_ GUARDED_BY(mutex_);

  Mutex unused_mutex_;
  std::vector<Topic*> unused_ GUARDED_BY(unused_mutex_);
};

template <typename Each>
bool Directory::scan(const Pattern& pattern, std::string& after, const Each& each) const {
  const std::string_view prefix = pattern.prefix();
  const SharedLock lock(mutex_);
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

}  // namespace tickwire
