#include "hub/hub.h"

#include <algorithm>
#include <bit>

#include "model/json_object.h"

namespace tickwire {
namespace {

constexpr std::uint64_t bit_of(SinkId sink) {
  return std::uint64_t{1} << sink;
}

}  // namespace

Hub::Hub(const Clock& clock, const std::vector<TopicRule>& rules, std::size_t ring_bytes_max,
         std::int64_t linger_us)
    : clock_(clock), ring_bytes_max_(ring_bytes_max), linger_us_(linger_us) {
  set_rules(rules);
}

// --- publishing -----------------------------------------------------------------------------------------

Status Hub::set_status(std::string_view name, TopicStatus status) {
  if (Status valid = check_topic(name); !valid) return valid.error();
  const LockedTopic held = lock_known(name);
  if (held.topic != nullptr && held.topic->last_) {
    change_status(held.lock, *held.topic, status);
    return ok_status();
  }
  return Error{ErrorCode::kUnknownTopic, "topic: nothing was published to " + std::string(name) + " yet",
               "topic"};
}

void Hub::feed_down(FeedId feed) {
  each_topic([&](Topic& topic) {
    const TopicLock lock(topic.mutex_);
    if (topic.feed_ != feed || !topic.last_ || topic.last_->status() != TopicStatus::kLive) return;
    change_status(lock, topic, TopicStatus::kStale);
  });
}

Status Hub::restore(StoredTopic stored) {
  if (Status valid = check_topic(stored.topic); !valid) return valid.error();
  std::vector<JsonField> fields;
  if (Status valid = scan_object(stored.image, fields, kImageLimits); !valid) return valid.error();
  if (stored.declared) restore_delivery(stored.topic, *stored.declared);
  const auto [topic, lock] = lock_or_create(stored.topic);
  topic->fields_.forget();
  Update::Parts parts;
  parts.topic = topic;
  parts.revision = 1;
  parts.delivery = topic->delivery();
  parts.seq = stored.seq;
  parts.ts = stored.ts;
  parts.status = stored.status == TopicStatus::kLive ? TopicStatus::kStale : stored.status;
  parts.data = std::move(stored.image);
  if (parts.status == TopicStatus::kStale) ++stale_count_;
  topic->last_ = std::make_shared<const Update>(std::move(parts));
  topic->kept_ = true;
  return ok_status();
}

void Hub::restore_delivery(std::string_view name, Delivery declared) {
  const DirectoryLock directory(directory_mutex_);
  Topic& topic = find_or_create(directory, name);
  {
    const TopicLock lock(topic.mutex_);
    topic.declared_ = declared;
  }
  apply_rules(topic);
}

void Hub::restore_ring(std::string_view name, std::vector<StoredEvent> events) {
  const auto [topic, lock] = lock_known(name);
  if (topic == nullptr || !topic->traits_.stored || !topic->last_) return;
  std::uint64_t seq = topic->last_->seq();
  topic->taken_seq_ = seq;
  auto first = events.end();
  while (first != events.begin() && (first - 1)->seq == seq) --first, --seq;
  for (; first != events.end(); ++first) {
    Update::Parts parts;
    parts.topic = topic;
    parts.delivery = topic->delivery();
    parts.seq = first->seq;
    parts.ts = first->ts;
    parts.data = std::move(first->data);
    if (parts.seq == topic->last_->seq()) {
      // One update, as before the restart: what is sent of it is the base of what is compressed after it.
      parts.revision = topic->last_->revision();
      parts.status = topic->last_->status();
      if (topic->last_->image() != parts.data) parts.image = topic->last_->image();
      topic->last_ = std::make_shared<const Update>(std::move(parts));
      topic->ring_.push_back(Update::kept(topic->last_));
    } else {
      topic->ring_.push_back(std::make_shared<const Update>(std::move(parts)));
    }
    topic->ring_bytes_ += topic->ring_[topic->ring_.size() - 1]->memory_bytes();
  }
  topic->trim_ring(clock_.wall_ms(), ring_share());
  look_later(lock, *topic);
}

UpdatePtr Hub::emit(const TopicLock& held, Topic& topic, Update::Parts parts) {
  const bool was_stale = topic.last_ && topic.last_->status() == TopicStatus::kStale;
  const bool is_stale = parts.status == TopicStatus::kStale;
  const bool becomes_live =
      parts.status == TopicStatus::kLive && (!topic.last_ || topic.last_->status() != TopicStatus::kLive);
  if (was_stale != is_stale) stale_count_ += is_stale ? 1 : -1;
  parts.topic = &topic;
  parts.delivery = topic.delivery();
  parts.revision = topic.last_ ? topic.last_->revision() + 1 : 1;
  UpdatePtr before = std::exchange(topic.last_, std::make_shared<const Update>(std::move(parts)));
  const UpdatePtr& update = topic.last_;
  topic.kept_ = true;
  if (!update->status_only()) topic.keep(update, ring_share());
  if (becomes_live) watch(held, topic);
  if (topic.traits_.ages() && (topic.look_us_ == 0 || topic.ring_.size() == 1)) look_later(held, topic);
  for (std::uint64_t rest = topic.sinks_; rest != 0; rest &= rest - 1) {
    sinks_.at(static_cast<std::size_t>(std::countr_zero(rest))).load()->deliver(update);
  }
  if (topic.dirty_) return before;
  topic.dirty_ = true;
  const std::lock_guard lock(dirty_mutex_);
  dirty_.push_back(&topic);
  return before;
}

void Hub::change_status(const TopicLock& held, Topic& topic, TopicStatus status) {
  const Update& last = *topic.last_;
  if (last.status() == status) return;
  Update::Parts parts;
  parts.seq = last.seq();
  parts.ts = last.ts();
  parts.status = status;
  parts.status_only = true;
  parts.image = last.image();
  emit(held, topic, std::move(parts));
}

// --- interest -------------------------------------------------------------------------------------------

SinkId Hub::add_sink(UpdateSink& sink) {
  for (SinkId id = 0; id < kSinksMax; ++id) {
    UpdateSink* expected = nullptr;
    if (sinks_.at(id).compare_exchange_strong(expected, &sink)) return id;
  }
  assert(false && "more sinks than kSinksMax");
  return 0;
}

void Hub::remove_sink(SinkId sink) {
  {
    const DirectoryLock lock(directory_mutex_);
    pattern_interests_.erase_if([&](std::uint64_t& sinks) { return (sinks &= ~bit_of(sink)) == 0; });
  }
  each_topic([&](Topic& topic) { stop_delivering(sink, topic); });
  const std::lock_guard lock(epoch_mutex_);
  sinks_.at(sink) = nullptr;
}

Result<Interest> Hub::add_interest(SinkId sink, std::string_view name) {
  if (Status status = check_topic(name); !status) return status.error();
  Interest interest;
  {
    const auto [topic, lock] = lock_or_create(name);
    interest = {topic, topic->last_, (topic->sinks_ & bit_of(sink)) != 0};
    topic->sinks_ |= bit_of(sink);
    ++topic->exact_;
  }
  Work::count(4);
  demand_.topic_wanted(interest.topic->name, true);
  return interest;
}

void Hub::drop_interest(SinkId sink, Topic& topic, bool keep_delivering) {
  const std::string name = topic.name;
  bool unused = false;
  {
    const TopicLock lock(topic.mutex_);
    --topic.exact_;
    if (!keep_delivering) topic.sinks_ &= ~bit_of(sink);
    unused = topic.exact_ == 0 && !topic.last_;
  }
  Work::count(unused ? 6 : 3);
  demand_.topic_wanted(name, false);
  if (unused) erase_if_unused(name);
}

void Hub::add_pattern_interest(SinkId sink, const Pattern& pattern) {
  {
    const DirectoryLock directory(directory_mutex_);
    pattern_interests_.at(pattern) |= bit_of(sink);
  }
  demand_.pattern_wanted(pattern, true);
}

void Hub::drop_pattern_interest(SinkId sink, const Pattern& pattern) {
  {
    const DirectoryLock lock(directory_mutex_);
    std::uint64_t* const sinks = pattern_interests_.find(pattern.text());
    assert(sinks != nullptr && (*sinks & bit_of(sink)) != 0);
    *sinks &= ~bit_of(sink);
    if (*sinks == 0) pattern_interests_.erase(pattern);
  }
  demand_.pattern_wanted(pattern, false);
}

void Hub::stop_delivering(SinkId sink, Topic& topic) {
  const TopicLock lock(topic.mutex_);
  topic.sinks_ &= ~bit_of(sink);
}

// --- the epoch ------------------------------------------------------------------------------------------

void Hub::set_epoch(std::string epoch) {
  const std::lock_guard lock(epoch_mutex_);
  epoch_ = std::move(epoch);
  for (const std::atomic<UpdateSink*>& slot : sinks_) {
    if (UpdateSink* sink = slot.load()) sink->deliver_epoch(epoch_);
  }
}

std::string Hub::epoch() const {
  const std::lock_guard lock(epoch_mutex_);
  return epoch_;
}

// --- the directory --------------------------------------------------------------------------------------

Topic& Hub::find_or_create(const DirectoryLock& /*held*/, std::string_view name) {
  if (Topic* const known = topics_.find(name)) return *known;
  TopicId id = next_id_;
  if (free_ids_.empty()) {
    ++next_id_;
  } else {
    id = free_ids_.back();
    free_ids_.pop_back();
  }
  auto topic = std::make_shared<Topic>(std::string(name), id);
  apply_rules(*topic);
  pattern_interests_.each_match(name, [&](std::uint64_t sinks) { topic->sinks_ |= sinks; });
  topics_.insert(*topic);
  by_name_.insert(topic);
  topic_total_ = topics_.size();
  return *topic;
}

// A topic is erased with the directory locked, so one that is locked before the directory is free again
// stays.
Hub::LockedTopic Hub::lock_known(std::string_view name) const {
  const std::shared_lock directory(directory_mutex_);
  Topic* const topic = topics_.find(name);
  if (topic == nullptr) return {};
  return {topic, TopicLock(topic->mutex_)};
}

Hub::LockedTopic Hub::lock_or_create(std::string_view name) {
  if (LockedTopic known = lock_known(name); known.topic != nullptr) return known;
  const DirectoryLock directory(directory_mutex_);
  Topic& topic = find_or_create(directory, name);
  return {&topic, TopicLock(topic.mutex_)};
}

void Hub::erase_if_unused(const std::string& name) {
  const DirectoryLock directory(directory_mutex_);
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) return;
  Topic& topic = **found;
  TopicPtr gone;  // outlives the lock on it
  const TopicLock lock(topic.mutex_);
  if (topic.last_ || topic.exact_ > 0) return;
  free_ids_.push_back(topic.id);
  topics_.erase(topic);
  gone = std::move(by_name_.extract(found).value());
  topic_total_ = topics_.size();
}

UpdatePtr Hub::find(std::string_view name) const {
  const LockedTopic held = lock_known(name);
  return held.topic != nullptr ? held.topic->last_ : nullptr;
}

TopicPtr Hub::find_topic(std::string_view name) const {
  Work::count();
  const std::shared_lock directory(directory_mutex_);
  Topic* const topic = topics_.find(name);
  return topic == nullptr ? nullptr : topic->shared_from_this();
}

std::size_t Hub::topic_count() const {
  return topic_total_;
}

std::size_t Hub::stale_count() const {
  return static_cast<std::size_t>(std::max<std::int64_t>(stale_count_, 0));
}

std::vector<Dirty> Hub::take_dirty() {
  std::vector<Topic*> topics;
  {
    const std::lock_guard lock(dirty_mutex_);
    topics.swap(dirty_);
  }
  std::vector<Dirty> out;
  out.reserve(topics.size());
  for (Topic* const topic : topics) {
    const TopicLock lock(topic->mutex_);
    topic->dirty_ = false;
    Dirty& dirty = out.emplace_back(Dirty{topic->last_, {}, 0, topic->declared_});
    if (!topic->traits_.stored) continue;
    dirty.events = topic->kept_between(topic->taken_seq_ + 1, topic->last_->seq());
    dirty.first_kept = topic->ring_.empty() ? topic->last_->seq() + 1 : topic->ring_.front()->seq();
    topic->taken_seq_ = topic->last_->seq();
  }
  return out;
}

}  // namespace tickwire
