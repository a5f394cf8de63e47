// What time does to topics. Each topic to which it can do something is looked at when that is due, and no
// other:
//
// - one whose age makes it stale (`stale_after_ms`);
// - one that nobody wants and whose feed follows demand. Such a feed stops producing what nobody wants, so
// the
//   topic becomes stale once it had no update for linger_us. A feed that does not follow demand publishes
//   regardless, and vouches for its topics by itself;
// - one whose ring loses what is too old (`ring_ms`);
// - one that an operator holds until a certain time.
#include <algorithm>
#include <limits>

#include "hub/topic.h"

namespace tickwire {
namespace {

constexpr std::int64_t kNeverUs = std::numeric_limits<std::int64_t>::max();

}  // namespace

void Topic::watch_feed(FeedId feed) {
  const MutexLock lock(mutex_);
  if (feed_ == feed && last_) watch();
}

void Topic::give_up(FeedId feed, std::int64_t now_us) {
  const MutexLock lock(mutex_);
  if (feed_ != feed || !last_) return;
  vouched_us_ = now_us;  // it was wanted until now
  watch();
}

void Topic::watch() {
  if (watched_ || feed_ == 0 || !is_live()) return;
  watched_ = true;
  look_later();
}

void Topic::look(std::int64_t due_us, std::int64_t now_us) {
  const MutexLock lock(mutex_);
  if (look_us_ != due_us) return;  // another look took its place
  look_us_ = 0;
  const std::int64_t wall_ms = commons_.clock.wall_ms();
  trim_ring(wall_ms);
  if (halted_ && halted_->shown->until_ms > 0 && halted_->shown->until_ms <= wall_ms) lift_halt();
  if (watched_) {
    watched_ = is_live() && commons_.demand.is_given_up(feed_, name);
    if (watched_ && now_us - vouched_us_ >= commons_.linger_us) {
      watched_ = false;
      change_status(TopicStatus::kStale);
    }
  }
  const std::int64_t limit_us = traits_.stale_after_ms * 1000;
  if (limit_us > 0 && is_live() && now_us - heard_us_ > limit_us) change_status(TopicStatus::kStale);
  look_later();
}

void Topic::look_later() {
  std::int64_t due = kNeverUs;
  if (watched_ && is_live()) due = vouched_us_ + commons_.linger_us;
  if (traits_.stale_after_ms > 0 && is_live()) {
    due = std::min(due, heard_us_ + traits_.stale_after_ms * 1000 + 1);
  }
  if (traits_.ring_ms > 0 && !ring_.empty()) {
    const std::int64_t left_ms = ring_.front()->ts() + traits_.ring_ms + 1 - commons_.clock.wall_ms();
    due = std::min(due, commons_.clock.steady_us() + std::max<std::int64_t>(left_ms, 1) * 1000);
  }
  if (halted_ && halted_->shown->until_ms > 0) {
    const std::int64_t left_ms = halted_->shown->until_ms - commons_.clock.wall_ms();
    due = std::min(due, commons_.clock.steady_us() + std::max<std::int64_t>(left_ms, 1) * 1000);
  }
  if (due == kNeverUs || (look_us_ != 0 && look_us_ <= due)) return;
  look_us_ = due;
  commons_.watched.add({due, this});
}

void Topic::share_ring(std::int64_t wall_ms) {
  const MutexLock lock(mutex_);
  trim_ring(wall_ms);
}

}  // namespace tickwire
