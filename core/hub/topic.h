// Topic: one named stream: its sequence, its last update (whose image is a late joiner's snapshot), its ring.
//
// Any thread. Everything that changes is protected by the topic's own lock, which is held while an update is
// made and handed to the interested sinks, so that each sees every seq once and in order. Owned by the hub's
// directory and by every Update of it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/ring_buffer.h"
#include "hub/feed_id.h"
#include "hub/update.h"
#include "hub/update_sink.h"
#include "model/image_fields.h"
#include "model/topic_kind.h"

namespace tickwire {

using TopicId = std::uint32_t;  // dense; reused only after a topic that never had an update

// How a topic behaves.
struct TopicTraits {
  Delivery delivery = Delivery::kValue;
  std::uint32_t ring = 64;          // updates kept for those who were away
  std::int64_t ring_ms = 0;         // age at which they go; 0: none
  std::int64_t stale_after_ms = 0;  // 0: age alone never makes it stale
  bool stored = false;              // the store keeps the ring too

  // Time alone changes it.
  [[nodiscard]] bool ages() const { return ring_ms > 0 || stale_after_ms > 0; }
};

// How the topics of a pattern behave; the config's topics."pattern" tables. What a rule leaves open, the next
// one that matches decides, at last TopicTraits.
struct TopicRule {
  std::string pattern = ">";
  std::optional<Delivery> delivery = {};
  std::optional<std::uint32_t> ring = {};
  std::optional<std::int64_t> ring_ms = {};
  std::optional<std::int64_t> stale_after_ms = {};
  std::optional<bool> stored = {};
};

class Topic : public std::enable_shared_from_this<Topic> {
 public:
  Topic(std::string name, TopicId id) : name(std::move(name)), id(id) {}

  const std::string name;
  const TopicId id;

  [[nodiscard]] Delivery delivery() const { return delivery_; }
  // The last update, or null.
  [[nodiscard]] UpdatePtr last() const;
  // The kept updates with from <= seq <= to, in order; those before the first are gone. See Update::kept:
  // their image() must not be asked for.
  [[nodiscard]] std::vector<UpdatePtr> ring_between(std::uint64_t from, std::uint64_t to) const;
  // The sink has its updates delivered.
  [[nodiscard]] bool delivers_to(SinkId sink) const;
  // The seq from which on all are kept; that of the next update when none is.
  [[nodiscard]] std::uint64_t first_kept() const;
  // "ticker.BTC-USD seq=3 live value sinks=1": for logs, failing tests and debuggers.
  [[nodiscard]] std::string describe() const;

 private:
  friend class Hub;
  std::atomic<Delivery> delivery_{Delivery::kValue};  // changes only when a rule is added
  std::atomic<bool> kept_{false};                     // it has had an update, so it is never erased

  // All with mutex_ held. `bytes_max`: of a value topic's ring.
  void keep(const UpdatePtr& update, std::size_t bytes_max);
  [[nodiscard]] std::vector<UpdatePtr> kept_between(std::uint64_t from, std::uint64_t to) const;
  void trim_ring(std::int64_t now_ms, std::size_t bytes_max);
  void drop_oldest();

  mutable std::mutex mutex_;
  // Protected by mutex_; first what each publish reads:
  UpdatePtr last_;
  std::uint64_t sinks_ = 0;  // bit i: the sink with SinkId i is interested
  ImageFields fields_;       // of last_->image()
  FeedId feed_ = 0;          // who published last
  bool dirty_ = false;       // in the hub's list of topics that the store has yet to write
  bool watched_ = false;     // its feed may stop vouching for it
  // By its feed: one that is loaded, or that of the run that stored it.
  std::optional<Delivery> declared_;
  TopicTraits traits_;
  RingBuffer<UpdatePtr> ring_;  // Update::kept of each, without holes: the last one is the last data update
  std::size_t ring_bytes_ = 0;
  std::int64_t heard_us_ = 0;  // steady time of the last publish, where age can make it stale
  // Steady time of the last publish, or when it was last wanted, of a feed's topic.
  std::int64_t vouched_us_ = 0;
  std::int64_t look_us_ = 0;     // when the hub looks at what time did to it; 0: never
  std::uint64_t taken_seq_ = 0;  // the last one that the store has, of a stored ring
  std::uint32_t exact_ = 0;      // interests in this very topic
};

using TopicPtr = std::shared_ptr<Topic>;

}  // namespace tickwire
