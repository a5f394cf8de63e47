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
  if (stored.status == TopicStatus::kLive) stored.status = TopicStatus::kStale;
  begin_with(std::move(stored));
  look_later();
}

void Topic::adopt(AdoptedTopic adopted) {
  const MutexLock lock(mutex_);
  const std::optional<Delivery> declared = adopted.topic.declared;
  if (declared && *declared != delivery()) take_delivery(*declared);
  begin_with(std::move(adopted.topic));
  epoch_no_ = commons_.epoch_no + (adopted.next_epoch_began ? 1 : 0);
  seq_at_epoch_ = adopted.next_epoch_began.value_or(last_->seq());
  if (traits_.stale_after_ms > 0) heard_us_ = commons_.clock.steady_us();
  fill_ring(std::move(adopted.ring));
  // To who has been waiting for its first update.
  commons_.sinks.deliver(sinks_, last_);
}

void Topic::suspend(bool suspended) {
  const MutexLock lock(mutex_);
  if (suspended && is_live()) {
    change_status(TopicStatus::kStale);
    suspended_ = true;
  } else if (!suspended && std::exchange(suspended_, false)) {
    change_status(TopicStatus::kLive);
  }
}

void Topic::forget_updates() {
  const MutexLock lock(mutex_);
  if (!last_) return;
  commons_.image_bytes -= static_cast<std::int64_t>(last_->image().size());
  if (last_->status() == TopicStatus::kStale) --commons_.stale_count;
  last_.reset();
  fields_.replace({});
  while (!ring_.empty()) drop_oldest();
  feed_ = 0;
  taken_seq_ = 0;
  suspended_ = false;
  if (halted_) commons_.halts.remove(*this);
  halted_.reset();
}

void Topic::take_delivery(Delivery delivery) {
  delivery_ = traits_.delivery = delivery;
}

void Topic::begin_with(StoredTopic stored) {
  fields_.forget();
  Update::Parts parts;
  parts.topic = this;
  parts.revision = 1;
  parts.delivery = delivery();
  parts.seq = stored.seq;
  parts.ts = stored.ts;
  const std::int64_t until_ms = stored.halt ? stored.halt->until_ms : 0;
  const bool is_over = until_ms > 0 && until_ms <= commons_.clock.wall_ms();
  if (stored.halt && !is_over && hold(stored.halt, stored.status)) {
    parts.halt = std::move(stored.halt);
    stored.status = TopicStatus::kHalted;
  }
  parts.status = stored.status;
  commons_.image_bytes += static_cast<std::int64_t>(stored.image.size());
  parts.data = std::move(stored.image);
  if (parts.status == TopicStatus::kStale) ++commons_.stale_count;
  last_ = std::make_shared<const Update>(std::move(parts));
  kept_ = true;
}

void Topic::restore_ring(std::vector<StoredEvent> events) {
  const MutexLock lock(mutex_);
  if (!traits_.stored || !last_) return;
  taken_seq_ = last_->seq();
  fill_ring(std::move(events));
}

void Topic::fill_ring(std::vector<StoredEvent> events) {
  std::uint64_t seq = last_->seq();
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
      if (halted_) parts.halt = halted_->shown;
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
  if (last_) dirty.status = status_beneath();
  if (!traits_.stored || !last_) return dirty;
  dirty.events = kept_between(taken_seq_ + 1, last_->seq());
  dirty.first_kept = ring_.empty() ? last_->seq() + 1 : ring_.front()->seq();
  taken_seq_ = last_->seq();
  return dirty;
}

}  // namespace tickwire
