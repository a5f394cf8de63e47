// What the rules say of a topic, and what passes between it and the store.
#include <utility>

#include "hub/topic.h"

namespace tickwire {

void Topic::set_declared(Delivery declared) {
  const MutexLock lock(mutex_);
  declared_ = declared;
}

void Topic::follow(const TopicRules::Ruling& ruling) {
  const MutexLock lock(mutex_);
  if (ruling.has_feed) declared_ = ruling.declared;
  traits_ = ruling.traits(declared_);
  delivery_ = traits_.delivery;
  if (traits_.stale_after_ms == 0) {
    heard_us_ = 0;
  } else if (heard_us_ == 0) {  // its age was not known until now, and counts from here
    heard_us_ = commons_.clock.steady_us();
  }
  if (!last_) return;
  if (last_->delivery() != traits_.delivery) last_ = Update::delivered(*last_, traits_.delivery);
  trim_ring(commons_.clock.wall_ms());
  look_later();
}

void Topic::restore(StoredTopic stored) {
  const MutexLock lock(mutex_);
  fields_.forget();
  Update::Parts parts;
  parts.topic = this;
  parts.revision = 1;
  parts.delivery = delivery();
  parts.seq = stored.seq;
  parts.ts = stored.ts;
  parts.status = stored.status == TopicStatus::kLive ? TopicStatus::kStale : stored.status;
  commons_.image_bytes += static_cast<std::int64_t>(stored.image.size());
  parts.data = std::move(stored.image);
  if (parts.status == TopicStatus::kStale) ++commons_.stale_count;
  last_ = std::make_shared<const Update>(std::move(parts));
  kept_ = true;
}

void Topic::restore_ring(std::vector<StoredEvent> events) {
  const MutexLock lock(mutex_);
  if (!traits_.stored || !last_) return;
  std::uint64_t seq = last_->seq();
  taken_seq_ = seq;
  auto first = events.end();
  while (first != events.begin() && (first - 1)->seq == seq) --first, --seq;
  for (; first != events.end(); ++first) {
    Update::Parts parts;
    parts.topic = this;
    parts.delivery = delivery();
    parts.seq = first->seq;
    parts.ts = first->ts;
    parts.data = std::move(first->data);
    UpdatePtr kept;
    if (parts.seq == last_->seq()) {
      // One update, as before the restart: what is sent of it is the base of what is compressed after it.
      parts.revision = last_->revision();
      parts.status = last_->status();
      if (last_->image() != parts.data) parts.image = last_->image();
      last_ = std::make_shared<const Update>(std::move(parts));
      kept = Update::kept(last_);
    } else {
      kept = std::make_shared<const Update>(std::move(parts));
    }
    ring_bytes_ += kept->memory_bytes();
    ring_.push_back(std::move(kept));
  }
  trim_ring(commons_.clock.wall_ms());
  look_later();
}

Dirty Topic::take_dirty() {
  const MutexLock lock(mutex_);
  dirty_ = false;
  Dirty dirty{last_, {}, 0, declared_};
  if (!traits_.stored) return dirty;
  dirty.events = kept_between(taken_seq_ + 1, last_->seq());
  dirty.first_kept = ring_.empty() ? last_->seq() + 1 : ring_.front()->seq();
  taken_seq_ = last_->seq();
  return dirty;
}

}  // namespace tickwire
