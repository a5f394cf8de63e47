// Hub: where publishers meet subscribers. Makes each Update once, under its topic's lock, and hands it to the
// sinks that registered interest, exactly or by pattern; counts demand on the way. It is the front of its
// parts: Directory (which topics there are), Topic (what one is), TopicCommons (what they share).
//
// Any thread may call any method, except from within UpdateSink::deliver or DemandListener.
// docs/ARCHITECTURE.md has the order of its locks. Invariants: per topic every sink with interest sees each
// seq after the one it registered at, once, in order.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/work.h"
#include "hub/demand.h"
#include "hub/directory.h"
#include "hub/publisher.h"
#include "hub/stored_topic.h"
#include "hub/topic.h"
#include "hub/topic_commons.h"
#include "model/topic_name.h"

namespace tickwire {

inline constexpr std::size_t kShapesMax = 1'000;
inline constexpr std::size_t kShapeBytesMax = 4'000;
inline constexpr std::size_t kRingBytesMaxDefault = std::size_t{64} << 20U;
inline constexpr std::int64_t kLingerUsDefault = 10'000'000;

class Hub final : public Publisher {
 public:
  // Patterns must be valid.
  // `ring_bytes_max`: memory for the rings of value topics, of which each topic has an equal share.
  // `linger_us`: a topic that its feed is not asked for, and did not update for so long, becomes stale.
  Hub(const Clock& clock, const std::vector<TopicRule>& rules,
      std::size_t ring_bytes_max = kRingBytesMaxDefault, std::int64_t linger_us = kLingerUsDefault,
      const HubLimits& limits = {});
  // The configuration's rules anew; patterns must be valid. Existing topics follow.
  void set_rules(const std::vector<TopicRule>& rules) { directory_.set_rules(rules); }
  // A feed's rule, after all others: it decides what those leave open. Existing topics follow. For the topics
  // of its pattern the delivery that the store kept no longer counts, also when the rule has none. kBadTopic.
  Status add_rule(const TopicRule& rule) { return directory_.add_rule(rule); }

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
  // An operator holds the topic: its status is halted for this reason until that time, whatever its feed says
  // of it. Clients may not publish to it. What feeds and programs publish to a value topic is merged and
  // comes as one update when the halt is over; what they publish to an event topic is dropped. A topic that
  // is held already gets the new reason and time. kBadTopic, kUnknownTopic, kTooMany: see kHaltsMax.
  Status halt(std::string_view topic, HaltPtr halt);
  // Returns how many updates were withheld. kBadTopic, kUnknownTopic: no operator holds it.
  Result<std::uint64_t> end_halt(std::string_view topic);
  // In order of name.
  [[nodiscard]] std::vector<HaltedTopic> halted() const;
  // Updates that were withheld since the start.
  [[nodiscard]] std::uint64_t withheld() const { return commons_.withheld; }
  [[nodiscard]] std::size_t halted_count() const { return commons_.halts.size(); }
  void feed_down(FeedId feed) override;
  // `feed` looks at what is wanted and produces only that, from now on.
  void follow_demand(FeedId feed);
  // Does what is due, so called about once a second: each live topic older than its stale_after becomes
  // stale, and so does what nobody wants and its feed does not update; rings lose what is too old; topics
  // that never had an update and that nobody wants any more are erased. Costs what is due, never how many
  // topics there are (see topic_age.cc).
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
  // Registers for all topics that match and are new from now on, and for demand of those that `filter` lets.
  // Once for a sink, pattern and filter; join_topics() does it for those that are there already. The sink is
  // delivered the first update of each new topic that matches, whatever the filter says.
  void add_pattern_interest(SinkId sink, const Pattern& pattern, const FilterPtr& filter = nullptr);
  // Registers for some kDirectoryRun of the topics that match, and that `filter` lets, in order of name,
  // those after `after`, which is moved on; appends them to `out`. True: there are no more.
  bool join_topics(SinkId sink, const Pattern& pattern, const FilterPtr& filter, std::string& after,
                   std::vector<Interest>& out);
  // Undoes both. The sink keeps receiving the topics in it until stop_delivering. `last`: it has no other
  // part of the pattern.
  void drop_pattern_interest(SinkId sink, const Pattern& pattern, const FilterPtr& filter = nullptr,
                             bool last = true);
  static void stop_delivering(SinkId sink, Topic& topic) { topic.stop_delivering(sink); }

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
  [[nodiscard]] std::vector<TopicPtr> topics_after(std::string& after) const {
    return directory_.topics_after(after);
  }
  [[nodiscard]] std::size_t topic_count() const { return commons_.topic_count; }
  [[nodiscard]] std::size_t stale_count() const;

  // --- limits -----------------------------------------------------------------------------------------
  // kTooMany, which names the limit of HubLimits that is reached. A few threads at once may each get one past
  // it.
  [[nodiscard]] Status room_for_pattern() const;
  // Whether a topic is there, or may come to be with an image of so many bytes.
  [[nodiscard]] Status room_for_topic(std::string_view name, std::size_t image_bytes = 0) const;
  [[nodiscard]] std::size_t image_bytes() const;
  // The process is past its soft limit of memory, or is no more: while it is, nothing new is taken.
  void set_memory_full(bool full) { commons_.memory_full = full; }
  [[nodiscard]] bool memory_full() const { return commons_.memory_full; }

  // --- the epoch --------------------------------------------------------------------------------------
  // Names this unbroken history of sequence numbers; empty until it is set. Every sink is told between the
  // updates that this thread published before, and those that it publishes after. A new sink asks for it.
  void set_epoch(std::string epoch) EXCLUDES(epoch_mutex_);
  [[nodiscard]] std::string epoch() const EXCLUDES(epoch_mutex_);
  // The one before: a seq of it up to the topic's Standing::seq_at_epoch means the same in this one. Empty:
  // there was none that this one goes on from.
  [[nodiscard]] std::string last_epoch() const EXCLUDES(epoch_mutex_);
  // Every sink has done with what came before the epoch, so what is published from now on is taken by nobody
  // for a part of the one before. Who shares its topics with other servers waits for that.
  [[nodiscard]] bool epoch_is_reached() const { return epochs_on_way_ == 0; }
  void epoch_reached() { --epochs_on_way_; }

  // --- a shared history (core/cluster) ------------------------------------------------------------------
  // As publish(), but what the servers of a cluster have decided together: its time, which does not step
  // back, and its delivery count here as they do there, and no limit of this hub does.
  Result<UpdatePtr> apply(std::string_view topic, ImageView data, FeedId feed, std::int64_t ts,
                          Delivery delivery);
  // The delivery of a topic, also of one that is not there yet. The name must be valid.
  [[nodiscard]] Delivery delivery_of(std::string_view topic) const { return directory_.delivery_of(topic); }
  // What they keep of a topic that has no update here. kBadTopic, kBadData.
  Status adopt(AdoptedTopic adopted);
  // All topics are as if nothing had been published to them, and the last epoch is forgotten. Nobody is told,
  // so no session may be open: see set_serving.
  void forget_updates() EXCLUDES(epoch_mutex_);
  // True: nobody vouches for any topic at the moment, and those that are live become stale; false: those that
  // are stale only for that are live again.
  void suspend(bool suspended);
  // Whether what the hub holds may be shown. While it may not, new sessions are refused.
  void set_serving(bool serving) { serving_ = serving; }
  [[nodiscard]] bool serving() const { return serving_; }

  // --- the store --------------------------------------------------------------------------------------
  // The topics that changed since the last call.
  std::vector<Dirty> take_dirty();

  Demand& demand() { return commons_.demand; }

 private:
  [[nodiscard]] Origin origin_of(FeedId feed) const {
    const bool by_client = feed == kClientFeed;
    return {by_client ? 0 : feed, commons_.clock.wall_ms(), commons_.clock.steady_us(), {}, by_client};
  }
  void share_rings();

  TopicCommons commons_;
  Directory directory_;
  std::atomic<std::size_t> rings_shared_by_ = 0;  // topic_count, when all rings were last cut to their share

  mutable Mutex epoch_mutex_;  // held while the sinks are told, so that all hear the same order
  std::string epoch_ GUARDED_BY(epoch_mutex_);
  std::string last_epoch_ GUARDED_BY(epoch_mutex_);
  std::atomic<std::int64_t> epochs_on_way_ = 0;  // to sinks
  std::atomic<bool> serving_ = true;

  Mutex shapes_mutex_;
  std::unordered_map<std::string, ShapeId> shapes_ GUARDED_BY(shapes_mutex_);
};

}  // namespace tickwire
