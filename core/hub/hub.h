// Hub: where publishers meet subscribers. Makes each Update once, under its topic's lock, and hands it to the
// sinks that registered interest, exactly or by pattern; counts demand on the way.
//
// Any thread may call any method, except from within UpdateSink::deliver or DemandListener. Owns the topics.
// Locks, in this order: directory, then a topic, then demand, the dirty list or the watch list; those of the
// shapes and the epoch alone.
// A publish of a known topic takes the directory shared.
// Invariants: per topic every sink with interest sees each seq after the one it registered at, once, in
// order.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/work.h"
#include "hub/demand.h"
#include "hub/publisher.h"
#include "hub/topic.h"
#include "hub/topic_index.h"
#include "hub/watch_list.h"
#include "model/pattern_index.h"
#include "model/topic_name.h"

namespace tickwire {

inline constexpr std::size_t kShapesMax = 1'000;
inline constexpr std::size_t kShapeBytesMax = 4'000;

// A topic with what it stood at when interest was registered.
struct Interest {
  Topic* topic = nullptr;  // stays while there is interest or an update
  UpdatePtr update;        // null: nothing was published yet
  // The sink had it delivered before: what it has not applied of it is on its way.
  bool delivered = false;
};

// Topics that are looked at while the directory is locked, before others get it.
inline constexpr std::size_t kDirectoryRun = 256;

// What the store has yet to write of a topic.
struct Dirty {
  UpdatePtr last;
  std::vector<UpdatePtr> events;          // of a stored ring: those since the last time, in order
  std::uint64_t first_kept = 0;           // of it: what came before is gone
  std::optional<Delivery> declared = {};  // by its feed
};

// What the store kept of a topic.
struct StoredTopic {
  std::string topic;
  std::uint64_t seq = 0;
  std::int64_t ts = 0;  // server Unix time, ms
  TopicStatus status = TopicStatus::kLive;
  std::string image;
  std::optional<Delivery> declared = {};  // by its feed
};

// An event as the store kept it.
struct StoredEvent {
  std::uint64_t seq = 0;
  std::int64_t ts = 0;
  std::string data;
};

inline constexpr std::size_t kRingBytesMaxDefault = std::size_t{64} << 20U;
inline constexpr std::int64_t kLingerUsDefault = 10'000'000;

class Hub final : public Publisher {
 public:
  // Patterns must be valid.
  // `ring_bytes_max`: memory for the rings of value topics, of which each topic has an equal share.
  // `linger_us`: a topic that its feed is not asked for, and did not update for so long, becomes stale.
  Hub(const Clock& clock, const std::vector<TopicRule>& rules,
      std::size_t ring_bytes_max = kRingBytesMaxDefault, std::int64_t linger_us = kLingerUsDefault);
  // The configuration's rules anew; patterns must be valid. Existing topics follow.
  void set_rules(const std::vector<TopicRule>& rules);
  // A feed's rule, after all others: it decides what those leave open. Existing topics follow. For the topics
  // of its pattern the delivery that the store kept no longer counts, also when the rule has none. kBadTopic.
  Status add_rule(const TopicRule& rule);

  // --- publishing -------------------------------------------------------------------------------------
  // The payload and the image of an update follow from what was published, the image before and the topic's
  // delivery, and from nothing else.
  Result<UpdatePtr> publish(std::string_view topic, ImageView data, FeedId feed = 0);
  Result<UpdatePtr> publish(std::string_view topic, std::string_view data, FeedId feed = 0);
  // Calls `done` before it returns.
  Outcome publish(std::string_view topic, ImageView data, FeedId feed, const Done& done) override;
  using Publisher::publish;
  // For ImageView::shape: names `keys`, a text that tells one list of keys from all others. 0: it is too
  // long, or there are too many.
  ShapeId shape_of(std::string keys);
  Status publish_rows(std::span<const std::string_view> topics, Payloads& payloads, FeedId feed,
                      std::size_t& taken) override;
  Status set_status(std::string_view topic, TopicStatus status) override;
  void feed_down(FeedId feed) override;
  // `feed` looks at what is wanted and produces only that, from now on.
  void follow_demand(FeedId feed);
  // Does what is due, so called about once a second: each live topic older than its stale_after becomes
  // stale, and so does what nobody wants and its feed does not update; rings lose what is too old. Costs what
  // is due, never how many topics there are (see hub_sweep.cc).
  void sweep();
  // Puts back what the store kept. Before the first publish of that topic; live topics come back stale, since
  // nobody vouches for the price yet. The declared delivery counts until a feed for the topic is loaded.
  Status restore(StoredTopic stored);
  // After restore(): the ring of a topic whose rule says stored; of others nothing. Those that lead up to the
  // topic's last update count.
  void restore_ring(std::string_view topic, std::vector<StoredEvent> events);

  // --- interest ---------------------------------------------------------------------------------------
  // `sink` must outlive remove_sink.
  SinkId add_sink(UpdateSink& sink);
  void remove_sink(SinkId sink);
  // Registers for a topic (made when new) and for demand; atomic with publishing. kBadTopic.
  Result<Interest> add_interest(SinkId sink, std::string_view topic);
  // Undoes one add_interest. `keep_delivering`: a pattern of the sink still matches.
  void drop_interest(SinkId sink, Topic& topic, bool keep_delivering);
  // Registers for all topics that match and are new from now on, and for demand. Once for a sink and pattern;
  // join_topics() does it for those that are there already.
  void add_pattern_interest(SinkId sink, const Pattern& pattern);
  // Registers for some kDirectoryRun of the topics that match, in order of name, those after `after`, which
  // is moved on; appends them to `out`. True: there are no more.
  bool join_topics(SinkId sink, const Pattern& pattern, std::string& after, std::vector<Interest>& out);
  // Undoes both. The sink keeps receiving the topics in it until stop_delivering.
  void drop_pattern_interest(SinkId sink, const Pattern& pattern);
  void stop_delivering(SinkId sink, Topic& topic);

  // --- reading ----------------------------------------------------------------------------------------
  // The last update, or null.
  [[nodiscard]] UpdatePtr find(std::string_view topic) const;
  // Null: there is none. Also for callers without interest in it, hence shared: another thread may drop it.
  [[nodiscard]] TopicPtr find_topic(std::string_view topic) const;
  // Topics with at least one update that match, in order of name, after `after`, at most `limit`.
  [[nodiscard]] std::vector<UpdatePtr> list(const Pattern& pattern, std::string_view after,
                                            std::size_t limit) const;
  // The same, a piece of it: appends to `out` until that has `limit` or the budget is spent, and moves
  // `after` on to the last name that was looked at. True: there are no more.
  bool list(const Pattern& pattern, std::string& after, std::size_t limit, const Budget& budget,
            std::vector<UpdatePtr>& out) const;
  // Some kDirectoryRun of all topics, in order of name, those after `after`, which is moved on; none: there
  // are no more.
  [[nodiscard]] std::vector<TopicPtr> topics_after(std::string& after) const;
  [[nodiscard]] std::size_t topic_count() const;
  [[nodiscard]] std::size_t stale_count() const;

  // --- the epoch --------------------------------------------------------------------------------------
  // Names this unbroken history of sequence numbers; empty until it is set. Every sink is told between the
  // updates that this thread published before, and those that it publishes after. A new sink asks for it.
  void set_epoch(std::string epoch);
  [[nodiscard]] std::string epoch() const;

  // --- the store --------------------------------------------------------------------------------------
  // The topics that changed since the last call.
  std::vector<Dirty> take_dirty();

  Demand& demand() { return demand_; }

 private:
  struct Rule {
    Pattern pattern;
    TopicRule rule;
    bool from_feed;
  };
  struct ByName {
    using is_transparent = void;
    bool operator()(const TopicPtr& a, const TopicPtr& b) const { return a->name < b->name; }
    bool operator()(std::string_view a, const TopicPtr& b) const { return a < b->name; }
    bool operator()(const TopicPtr& a, std::string_view b) const { return a->name < b; }
  };
  using TopicLock = std::unique_lock<std::mutex>;
  using DirectoryLock = std::unique_lock<std::shared_mutex>;

  struct LockedTopic {
    Topic* topic = nullptr;
    TopicLock lock;
  };
  struct Origin {
    FeedId feed;
    std::int64_t ts;  // Unix time, ms
    std::int64_t steady_us;
  };

  Topic& find_or_create(const DirectoryLock& held, std::string_view name);
  // No topic: it is not known.
  [[nodiscard]] LockedTopic lock_known(std::string_view name) const;
  // Null where a topic is not known, or might yet be erased.
  void find_kept(std::span<const std::string_view> names, std::span<Topic*> topics) const;
  // Has the CPU fetch what publishing to them reads, of all at once instead of one after the other.
  static void prefetch(std::span<Topic* const> topics);
  // `name` must be valid.
  LockedTopic lock_or_create(std::string_view name);
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
  // With the directory locked, shared or not.
  void apply_rules(Topic& topic);
  // Existing topics follow the rules of now.
  void follow_rules();
  void restore_delivery(std::string_view name, Delivery declared);
  Result<UpdatePtr> publish_locked(LockedTopic held, ImageView data, Origin origin);
  // The update before.
  UpdatePtr emit(const TopicLock& held, Topic& topic, Update::Parts parts);
  void change_status(const TopicLock& held, Topic& topic, TopicStatus status);
  // Looks at a live topic of a feed again once its linger is over. `topic` has an update.
  void watch(const TopicLock& held, Topic& topic);
  void look_at(const TopicLock& held, Topic& topic, std::int64_t now_us);
  // When time can do something to it next.
  void look_later(const TopicLock& held, Topic& topic);
  void share_rings();
  void erase_if_unused(const std::string& name);
  [[nodiscard]] std::size_t ring_share() const {
    return ring_bytes_max_ / std::max<std::size_t>(topic_total_, 1);
  }

  const Clock& clock_;
  const std::size_t ring_bytes_max_;
  const std::int64_t linger_us_;
  Demand demand_;
  WatchList watched_;
  std::array<std::atomic<UpdateSink*>, kSinksMax> sinks_{};
  std::atomic<std::int64_t> stale_count_ = 0;
  std::atomic<std::size_t> topic_total_ = 0;      // of the directory
  std::atomic<std::size_t> rings_shared_by_ = 0;  // topic_total_, when all rings were last cut to their share

  std::mutex rules_mutex_;  // one change of rules at a time; taken before the directory

  mutable std::shared_mutex directory_mutex_;
  // Protected by directory_mutex_:
  TopicIndex topics_;                   // those of by_name_
  std::set<TopicPtr, ByName> by_name_;  // owns them
  std::vector<TopicId> free_ids_;
  TopicId next_id_ = 0;
  std::vector<Rule> rules_;
  PatternIndex<std::uint64_t> pattern_interests_;  // as Topic::sinks_

  mutable std::mutex epoch_mutex_;  // held while the sinks are told, so that all hear the same order
  std::string epoch_;               // protected by epoch_mutex_

  std::mutex shapes_mutex_;
  std::unordered_map<std::string, ShapeId> shapes_;  // protected by shapes_mutex_

  std::mutex dirty_mutex_;
  // Protected by dirty_mutex_:
  std::vector<Topic*> dirty_;  // they have updates, so none is ever erased
};

}  // namespace tickwire
