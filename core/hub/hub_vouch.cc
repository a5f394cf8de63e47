// Who vouches for a topic that nobody wants. A feed that follows demand stops producing what nobody wants, so
// such a topic becomes stale once it had no update for linger_us_; a feed that does not follow demand
// publishes regardless, and vouches for its topics by itself.
#include "hub/hub.h"

namespace tickwire {

void Hub::follow_demand(FeedId feed) {
  if (!demand_.follow(feed)) return;
  each_topic([&](Topic& topic) {
    const TopicLock lock(topic.mutex_);
    if (topic.feed_ == feed && topic.last_) watch(lock, topic);
  });
}

void Hub::watch(const TopicLock& /*held*/, Topic& topic) {
  if (topic.watched_ || topic.feed_ == 0 || topic.last_->status() != TopicStatus::kLive) return;
  topic.watched_ = true;
  watched_.add(topic.vouched_us_ + linger_us_, topic);
}

void Hub::sweep_unwanted() {
  const std::int64_t now_us = clock_.steady_us();
  for (const auto& [feed, name] : demand_.take_given_up()) {
    const LockedTopic held = lock_known(name);
    if (held.topic == nullptr || held.topic->feed_ != feed || !held.topic->last_) continue;
    held.topic->vouched_us_ = now_us;  // it was wanted until now
    watch(held.lock, *held.topic);
  }
  for (Topic* const topic : watched_.take(now_us)) {
    const TopicLock lock(topic->mutex_);
    topic->watched_ = false;
    if (topic->last_->status() != TopicStatus::kLive || !demand_.is_given_up(topic->feed_, topic->name)) {
      continue;
    }
    if (now_us - topic->vouched_us_ >= linger_us_) {
      change_status(lock, *topic, TopicStatus::kStale);
    } else {
      watch(lock, *topic);
    }
  }
}

}  // namespace tickwire
