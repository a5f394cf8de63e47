// Topic: one named stream: its sequence, its last update (whose image is a late joiner's snapshot), its ring,
// and who is interested in it. It changes by its own methods alone.
//
// Any thread. Everything that changes is protected by the topic's own lock, which is held while an update is
// made and handed to the interested sinks, so that each sees every seq once and in order. While it is held no
// lock is taken but those of TopicCommons and the sinks'. Owned by the hub's Directory, and by whoever holds
// a TopicPtr; an Update of it does not keep it. Invariant: one that has had an update is never erased from
// the directory.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "base/ring_buffer.h"
#include "hub/feed_id.h"
#include "hub/stored_topic.h"
#include "hub/topic_commons.h"
#include "hub/topic_halt.h"
#include "hub/topic_rules.h"
#include "hub/update.h"
#include "model/image_fields.h"
#include "model/topic_kind.h"

namespace tickwire {

using TopicId = std::uint32_t;  // dense; reused only after a topic that never had an update

// Who publishes, and when.
struct Origin {
  FeedId feed = 0;
  std::int64_t ts = 0;         // Unix time, ms
  std::int64_t steady_us = 0;  // the same moment on the steady clock
  // Others have decided that this was published, and how: the delivery becomes the topic's, and the limits of
  // this hub do not count.
  std::optional<Delivery> decided = {};
  bool by_client = false;  // and not by a feed or a program
};

// A topic that an operator holds.
struct HaltedTopic {
  std::string topic;
  HaltPtr halt;
  std::uint64_t withheld = 0;  // updates that came meanwhile
};

// Where a topic stands, for who goes on from a seq.
struct Standing {
  std::uint64_t seq = 0;
  std::uint64_t first_kept = 1;    // the seq from which on all are kept; that of the next update when none is
  std::uint64_t seq_at_epoch = 0;  // the seq at which the hub's epoch began
};

// A topic with what it stood at when interest was registered.
struct Interest {
  Topic* topic = nullptr;  // stays while there is interest or an update
  UpdatePtr update;        // null: nothing was published yet
  // The sink had it delivered before: what it has not applied of it is on its way.
  bool delivered = false;
};

class Topic : public std::enable_shared_from_this<Topic> {
 public:
  // `sinks`: those that a pattern makes interested.
  Topic(std::string name, TopicId id, SinkBits sinks, TopicCommons& commons)
      : name(std::move(name)), id(id), commons_(commons), sinks_(sinks) {}

  const std::string name;
  const TopicId id;

  // --- reading ----------------------------------------------------------------------------------------
  [[nodiscard]] Delivery delivery() const { return delivery_; }
  // It has had an update, so it is never erased.
  [[nodiscard]] bool kept() const { return kept_; }
  // The last update, or null.
  [[nodiscard]] UpdatePtr last() const EXCLUDES(mutex_);
  // The kept updates with from <= seq <= to, in order, at most the first `most` of them; those before the
  // first are gone. See Update::kept: their image() must not be asked for.
  [[nodiscard]] std::vector<UpdatePtr> ring_between(std::uint64_t from, std::uint64_t to,
                                                    std::size_t most = SIZE_MAX) const EXCLUDES(mutex_);
  // The sink has its updates delivered.
  [[nodiscard]] bool delivers_to(SinkId sink) const EXCLUDES(mutex_);
  [[nodiscard]] Standing standing() const EXCLUDES(mutex_);
  [[nodiscard]] std::uint64_t first_kept() const EXCLUDES(mutex_) { return standing().first_kept; }
  // "ticker.BTC-USD seq=3 live value sinks=1": for logs, failing tests and debuggers.
  [[nodiscard]] std::string describe() const EXCLUDES(mutex_);

  // --- publishing -------------------------------------------------------------------------------------
  // As Hub::publish.
  Result<UpdatePtr> publish(ImageView data, const Origin& origin) EXCLUDES(mutex_);
  // False: nothing was published to it yet.
  bool set_status(TopicStatus status) EXCLUDES(mutex_);
  // As Hub::halt (topic_halt.cc). kUnknownTopic, kTooMany.
  Status halt(HaltPtr halt) EXCLUDES(mutex_);
  // Returns how many updates were withheld; nothing: no operator held it.
  std::optional<std::uint64_t> end_halt() EXCLUDES(mutex_);
  [[nodiscard]] std::optional<HaltedTopic> halted() const EXCLUDES(mutex_);
  // A live topic that `feed` published last becomes stale.
  void feed_down(FeedId feed) EXCLUDES(mutex_);
  // Has the CPU fetch what publishing to it reads: first the update and the ring, then, once those are there,
  // what they point to. Only where it is kept(); nothing happens while somebody holds its lock.
  void prefetch_update() EXCLUDES(mutex_);
  void prefetch_image() EXCLUDES(mutex_);

  // --- rules and the store ----------------------------------------------------------------------------
  void follow(const TopicRules::Ruling& ruling) EXCLUDES(mutex_);
  // The delivery that the store kept; follow() comes next.
  void set_declared(Delivery declared) EXCLUDES(mutex_);
  // As Hub::restore. `stored.image` is valid.
  void restore(StoredTopic stored) EXCLUDES(mutex_);
  void restore_ring(std::vector<StoredEvent> events) EXCLUDES(mutex_);
  // As Hub::adopt and Hub::forget_updates.
  void adopt(AdoptedTopic adopted) EXCLUDES(mutex_);
  void forget_updates() EXCLUDES(mutex_);
  void suspend(bool suspended) EXCLUDES(mutex_);
  // Once after it came into the DirtyList.
  Dirty take_dirty() EXCLUDES(mutex_);

  // --- interest ---------------------------------------------------------------------------------------
  // From now on the sink has its updates delivered. `exact`: the sink wants this very topic.
  Interest add_interest(SinkId sink, bool exact) EXCLUDES(mutex_);
  // Undoes an exact add_interest. True: it is not used any more, and the caller is the one to note that.
  [[nodiscard]] bool drop_interest(SinkId sink, bool keep_delivering) EXCLUDES(mutex_);
  void stop_delivering(SinkId sink) EXCLUDES(mutex_);
  // After it was noted as unused: whether it still is. If not, it may be noted again.
  [[nodiscard]] bool still_unused() EXCLUDES(mutex_);

  // --- what time does to it (topic_age.cc) ------------------------------------------------------------
  // Its feed follows demand from now on, where that is `feed`; or is not asked for it from `now_us` on.
  void watch_feed(FeedId feed) EXCLUDES(mutex_);
  void give_up(FeedId feed, std::int64_t now_us) EXCLUDES(mutex_);
  // The look that the WatchList had for `due_us`.
  void look(std::int64_t due_us, std::int64_t now_us) EXCLUDES(mutex_);
  // Its ring has another share now.
  void share_ring(std::int64_t wall_ms) EXCLUDES(mutex_);

 private:
  // Makes the next update and hands it to the sinks; returns the one that it replaces.
  UpdatePtr emit(Update::Parts parts) REQUIRES(mutex_);
  // What is shown changes; change_status() while an operator holds it: only what comes after that.
  void show_status(TopicStatus status) REQUIRES(mutex_);
  void change_status(TopicStatus status) REQUIRES(mutex_);
  // The status, whether an operator holds it or not. It has an update.
  [[nodiscard]] TopicStatus status_beneath() const REQUIRES(mutex_);
  [[nodiscard]] bool is_live() const REQUIRES(mutex_);
  // Notes that it was published to. True: by another feed than before.
  bool heard_from(const Origin& origin) REQUIRES(mutex_);
  void note_dirty() REQUIRES(mutex_);
  [[nodiscard]] Error no_room_for(std::size_t image_bytes) const;
  // False: too many topics are halted.
  bool hold(HaltPtr halt, TopicStatus beneath) REQUIRES(mutex_);
  Result<UpdatePtr> withhold(ImageView data, const Origin& origin) REQUIRES(mutex_);
  void lift_halt() REQUIRES(mutex_);
  void begin_with(StoredTopic stored) REQUIRES(mutex_);
  void fill_ring(std::vector<StoredEvent> events) REQUIRES(mutex_);
  void take_delivery(Delivery delivery) REQUIRES(mutex_);

  void keep(const UpdatePtr& update) REQUIRES(mutex_);
  [[nodiscard]] std::vector<UpdatePtr> kept_between(std::uint64_t from, std::uint64_t to,
                                                    std::size_t most = SIZE_MAX) const REQUIRES(mutex_);
  void trim_ring(std::int64_t now_ms) REQUIRES(mutex_);
  void drop_oldest() REQUIRES(mutex_);

  // Looks at a live topic of a feed again once its linger is over. It has an update.
  void watch() REQUIRES(mutex_);
  // When time can do something to it next.
  void look_later() REQUIRES(mutex_);

  TopicCommons& commons_;
  std::atomic<Delivery> delivery_{Delivery::kValue};  // changes only when a rule is added
  std::atomic<bool> kept_{false};

  mutable Mutex mutex_;
  // First what each publish reads:
  UpdatePtr last_ GUARDED_BY(mutex_);
  SinkBits sinks_ GUARDED_BY(mutex_);          // those that are interested
  ImageFields fields_ GUARDED_BY(mutex_);      // of last_->image()
  FeedId feed_ GUARDED_BY(mutex_) = 0;         // who published last
  bool dirty_ GUARDED_BY(mutex_) = false;      // in the DirtyList
  bool watched_ GUARDED_BY(mutex_) = false;    // its feed may stop vouching for it
  bool unused_ GUARDED_BY(mutex_) = false;     // noted as unused
  bool suspended_ GUARDED_BY(mutex_) = false;  // it is stale only because nobody can say
  // By its feed: one that is loaded, or that of the run that stored it.
  std::optional<Delivery> declared_ GUARDED_BY(mutex_);
  TopicTraits traits_ GUARDED_BY(mutex_);
  // Update::kept of each, without holes: the last one is the last data update.
  RingBuffer<UpdatePtr> ring_ GUARDED_BY(mutex_);
  std::size_t ring_bytes_ GUARDED_BY(mutex_) = 0;
  // Steady time of the last publish, where age can make it stale.
  std::int64_t heard_us_ GUARDED_BY(mutex_) = 0;
  // Steady time of the last publish, or when it was last wanted, of a feed's topic.
  std::int64_t vouched_us_ GUARDED_BY(mutex_) = 0;
  std::int64_t look_us_ GUARDED_BY(mutex_) = 0;           // its place in the WatchList; 0: none
  std::unique_ptr<TopicHalt> halted_ GUARDED_BY(mutex_);  // null: no operator holds it
  std::uint64_t taken_seq_ GUARDED_BY(mutex_) = 0;        // the last one that the store has, of a stored ring
  std::uint32_t exact_ GUARDED_BY(mutex_) = 0;            // interests in this very topic
  std::uint32_t epoch_no_ GUARDED_BY(mutex_) = 0;         // the one in which the last update came
  std::uint64_t seq_at_epoch_ GUARDED_BY(mutex_) = 0;     // at which that one began
};

using TopicPtr = std::shared_ptr<Topic>;

}  // namespace tickwire
