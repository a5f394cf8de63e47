// Hub: where publishers meet subscribers. Makes each Update once, under its topic's lock, and hands it to the
// sinks that registered interest, exactly or by pattern; counts demand on the way.
//
// Any thread may call any method, except from within UpdateSink::deliver or DemandListener. Owns the topics.
// Locks, in this order: directory, then a topic, then the dirty list. A publish of a known topic takes the
// directory shared.
// Invariants: per topic every sink with interest sees each seq after the one it registered at, once, in
// order.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "hub/demand.h"
#include "hub/topic.h"
#include "model/topic_name.h"

namespace tickwire {

// A topic with what it stood at when interest was registered.
struct Interest {
  TopicPtr topic;
  UpdatePtr update;  // null: nothing was published yet
};

class Hub {
 public:
  // The first rule whose pattern matches a new topic decides; none: TopicRule's defaults.
  Hub(const Clock& clock, std::vector<TopicRule> rules);

  // --- publishing -------------------------------------------------------------------------------------
  // `data` is a JSON object. kBadTopic, kBadData (also when the image would pass kImageBytesMax: it stays).
  Result<UpdatePtr> publish(std::string_view topic, std::string_view data, FeedId feed = 0);
  // kBadTopic, kUnknownTopic. No change, no update.
  Status set_status(std::string_view topic, TopicStatus status);
  // Each live topic that `feed` published last becomes stale.
  void feed_down(FeedId feed);
  // Each live topic older than its stale_after becomes stale.
  void sweep_stale();
  // Puts back what the store kept. Before the first publish of that topic; live topics come back stale, since
  // nobody vouches for the price yet.
  Status restore(std::string_view topic, std::uint64_t seq, std::int64_t ts, TopicStatus status,
                 std::string image);

  // --- interest ---------------------------------------------------------------------------------------
  // `sink` must outlive remove_sink.
  SinkId add_sink(UpdateSink& sink);
  void remove_sink(SinkId sink);
  // Registers for a topic (made when new) and for demand; atomic with publishing. kBadTopic.
  Result<Interest> add_interest(SinkId sink, std::string_view topic);
  // Undoes one add_interest. `keep_delivering`: a pattern of the sink still matches.
  void drop_interest(SinkId sink, const TopicPtr& topic, bool keep_delivering);
  // Registers for all topics that match, now and later. Returns those of now.
  std::vector<Interest> add_pattern_interest(SinkId sink, const Pattern& pattern);
  // Undoes it. The sink keeps receiving the topics in it until stop_delivering.
  void drop_pattern_interest(SinkId sink, const Pattern& pattern);
  void stop_delivering(SinkId sink, const TopicPtr& topic);

  // --- reading ----------------------------------------------------------------------------------------
  // The last update, or null.
  [[nodiscard]] UpdatePtr find(std::string_view topic) const;
  // Topics with at least one update that match, in order of name, after `after`, at most `limit`.
  [[nodiscard]] std::vector<UpdatePtr> list(const Pattern& pattern, std::string_view after,
                                            std::size_t limit) const;
  [[nodiscard]] std::size_t topic_count() const;
  [[nodiscard]] std::size_t stale_count() const;

  // --- the store --------------------------------------------------------------------------------------
  // Last updates of the topics that changed since the last call (at most once per topic).
  std::vector<UpdatePtr> take_dirty();

  Demand& demand() { return demand_; }

 private:
  struct PatternInterest {
    SinkId sink;
    Pattern pattern;
  };
  using TopicLock = std::unique_lock<std::mutex>;

  [[nodiscard]] TopicPtr lookup(std::string_view name) const;
  TopicPtr lookup_or_create(std::string_view name);
  [[nodiscard]] std::vector<TopicPtr> all_topics() const;
  void emit(const TopicLock& held, Topic& topic, UpdatePtr update);
  void change_status(const TopicLock& held, const TopicPtr& topic, TopicStatus status);
  void erase_if_unused(const TopicPtr& topic);

  const Clock& clock_;
  const std::vector<TopicRule> rules_;
  std::vector<Pattern> rule_patterns_;
  Demand demand_;

  mutable std::shared_mutex directory_mutex_;
  // Protected by directory_mutex_:
  std::map<std::string, TopicPtr, std::less<>> by_name_order_;
  std::vector<TopicId> free_ids_;
  TopicId next_id_ = 0;
  std::vector<PatternInterest> pattern_interests_;
  std::array<std::atomic<UpdateSink*>, kSinksMax> sinks_{};

  std::mutex dirty_mutex_;
  // Protected by dirty_mutex_:
  std::vector<TopicPtr> dirty_;
};

}  // namespace tickwire
