// What time does to topics. Each topic to which it can do something is looked at when that is due, and no
// other:
//
// - one whose age makes it stale (`stale_after_ms`);
// - one that nobody wants and whose feed follows demand. Such a feed stops producing what nobody wants, so
// the
//   topic becomes stale once it had no update for linger_us_. A feed that does not follow demand publishes
//   regardless, and vouches for its topics by itself;
// - one whose ring loses what is too old (`ring_ms`).
#include <algorithm>
#include <limits>

#include "base/work.h"
#include "hub/hub.h"

namespace tickwire {
namespace {

constexpr std::int64_t kNeverUs = std::numeric_limits<std::int64_t>::max();

bool is_live(const Update* last) {
  return last != nullptr && last->status() == TopicStatus::kLive;
}

}  // namespace

void Hub::follow_demand(FeedId feed) {
  if (!demand_.follow(feed)) return;
  each_topic([&](Topic& topic) {
    const TopicLock lock(topic.mutex_);
    if (topic.feed_ == feed && topic.last_) watch(lock, topic);
  });
}

void Hub::sweep() {
  const std::int64_t now_us = clock_.steady_us();
  for (const auto& [feed, name] : demand_.take_given_up()) {
    const LockedTopic held = lock_known(name);
    if (held.topic == nullptr || held.topic->feed_ != feed || !held.topic->last_) continue;
    held.topic->vouched_us_ = now_us;  // it was wanted until now
    watch(held.lock, *held.topic);
  }
  for (const auto& [due_us, topic] : watched_.take(now_us)) {
    Work::count();
    const TopicLock lock(topic->mutex_);
    if (topic->look_us_ != due_us) continue;  // another look took its place
    topic->look_us_ = 0;
    look_at(lock, *topic, now_us);
    look_later(lock, *topic);
  }
  share_rings();
}

void Hub::watch(const TopicLock& held, Topic& topic) {
  if (topic.watched_ || topic.feed_ == 0 || !is_live(topic.last_.get())) return;
  topic.watched_ = true;
  look_later(held, topic);
}

void Hub::look_at(const TopicLock& held, Topic& topic, std::int64_t now_us) {
  topic.trim_ring(clock_.wall_ms(), ring_share());
  if (topic.watched_) {
    topic.watched_ = is_live(topic.last_.get()) && demand_.is_given_up(topic.feed_, topic.name);
    if (topic.watched_ && now_us - topic.vouched_us_ >= linger_us_) {
      topic.watched_ = false;
      change_status(held, topic, TopicStatus::kStale);
    }
  }
  const std::int64_t limit_us = topic.traits_.stale_after_ms * 1000;
  if (limit_us == 0 || !is_live(topic.last_.get())) return;
  if (now_us - topic.heard_us_ > limit_us) change_status(held, topic, TopicStatus::kStale);
}

void Hub::look_later(const TopicLock& /*held*/, Topic& topic) {
  const bool live = is_live(topic.last_.get());
  const TopicTraits& traits = topic.traits_;
  std::int64_t due = kNeverUs;
  if (topic.watched_ && live) due = topic.vouched_us_ + linger_us_;
  if (traits.stale_after_ms > 0 && live) {
    due = std::min(due, topic.heard_us_ + traits.stale_after_ms * 1000 + 1);
  }
  if (traits.ring_ms > 0 && !topic.ring_.empty()) {
    const std::int64_t left_ms = topic.ring_.front()->ts() + traits.ring_ms + 1 - clock_.wall_ms();
    due = std::min(due, clock_.steady_us() + std::max<std::int64_t>(left_ms, 1) * 1000);
  }
  if (due == kNeverUs || (topic.look_us_ != 0 && topic.look_us_ <= due)) return;
  topic.look_us_ = due;
  watched_.add({due, &topic});
}

// The more topics there are, the less memory each has for its ring. A topic's ring is cut when it is
// published to; the rings of quiet topics are cut here, each time the topics have become a quarter more.
void Hub::share_rings() {
  const std::size_t total = topic_total_;
  const std::size_t shared_by = std::min<std::size_t>(rings_shared_by_, total);
  rings_shared_by_ = shared_by;
  if (total < shared_by + std::max<std::size_t>(shared_by / 4, 1)) return;
  rings_shared_by_ = total;
  const std::int64_t wall_ms = clock_.wall_ms();
  each_topic([&](Topic& topic) {
    Work::count();
    const TopicLock lock(topic.mutex_);
    topic.trim_ring(wall_ms, ring_share());
  });
}

}  // namespace tickwire
