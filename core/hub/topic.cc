#include "hub/topic.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <utility>

namespace tickwire {
namespace {

constexpr std::size_t kFetchBytesMax = 1024;

void fetch(const void* start, std::size_t bytes) {
  constexpr std::size_t kLineBytes = 64;
  for (std::size_t at = 0; at < bytes; at += kLineBytes)
    __builtin_prefetch(static_cast<const char*>(start) + at);
}

}  // namespace

// --- reading --------------------------------------------------------------------------------------------

UpdatePtr Topic::last() const {
  const MutexLock lock(mutex_);
  return last_;
}

std::vector<UpdatePtr> Topic::ring_between(std::uint64_t from, std::uint64_t to, std::size_t most) const {
  const MutexLock lock(mutex_);
  return kept_between(from, to, most);
}

bool Topic::delivers_to(SinkId sink) const {
  const MutexLock lock(mutex_);
  return (sinks_ & bit_of(sink)) != 0;
}

Standing Topic::standing() const {
  const MutexLock lock(mutex_);
  const std::uint64_t seq = last_ ? last_->seq() : 0;
  return {.seq = seq,
          .first_kept = ring_.empty() ? seq + 1 : ring_.front()->seq(),
          .seq_at_epoch = epoch_no_ == commons_.epoch_no ? seq_at_epoch_ : seq};
}

std::string Topic::describe() const {
  const MutexLock lock(mutex_);
  std::string text = name + " seq=" + std::to_string(last_ ? last_->seq() : 0) + " ";
  if (last_) text.append(name_of(last_->status())).append(" ");
  return text.append(name_of(delivery())) + " sinks=" + std::to_string(std::popcount(sinks_));
}

bool Topic::is_live() const {
  return last_ && status_beneath() == TopicStatus::kLive;
}

// --- publishing -----------------------------------------------------------------------------------------

Result<UpdatePtr> Topic::publish(ImageView data, const Origin& origin) {
  UpdatePtr before;  // its memory is given back without the lock
  const MutexLock lock(mutex_);
  if (halted_ && !origin.decided) return withhold(data, origin);
  if (origin.decided && *origin.decided != delivery()) take_delivery(*origin.decided);
  Update::Parts parts;
  const std::string_view image = last_ ? last_->image() : std::string_view();
  const std::size_t bytes_max = image.size() + (origin.decided ? kImageBytesMax : commons_.image_room());
  std::size_t bytes = data.text.size();
  if (delivery() == Delivery::kEvent) {  // it replaces the image whatever its fields are
    if (bytes <= bytes_max) fields_.forget();
  } else {
    bytes = fields_.merge(image, data, parts.image, std::min(kImageBytesMax, bytes_max));
    if (bytes > kImageBytesMax) return no_room_for(bytes);
  }
  if (bytes > bytes_max) return no_room_for(bytes);
  if (bytes != image.size()) {
    commons_.image_bytes += static_cast<std::int64_t>(bytes) - static_cast<std::int64_t>(image.size());
  }
  parts.data = data.text;
  parts.seq = last_ ? last_->seq() + 1 : 1;
  // A wall clock that steps back must not make an update look older than the one before it.
  parts.ts = std::max(origin.ts, last_ ? last_->ts() : 0);
  parts.status = last_ ? after_update(last_->status()) : TopicStatus::kLive;
  const bool is_taken_over = heard_from(origin);
  before = emit(std::move(parts));
  if (is_taken_over) watch();
  return last_;
}

Error Topic::no_room_for(std::size_t image_bytes) const {
  if (image_bytes > kImageBytesMax) {
    return {ErrorCode::kBadData,
            "data: the image of " + name + " would have " + std::to_string(image_bytes) + " bytes, at most " +
                std::to_string(kImageBytesMax) + " are allowed",
            "data", Limit::kImageBytes};
  }
  return {ErrorCode::kTooMany,
          "data: the images of all topics have " + std::to_string(commons_.limits.image_bytes_max >> 20U) +
              " MB together, which is limits.images_mb; this one may not grow",
          "data", Limit::kImages};
}

bool Topic::heard_from(const Origin& origin) {
  suspended_ = false;
  vouched_us_ = origin.steady_us;
  if (traits_.stale_after_ms > 0) heard_us_ = origin.steady_us;
  return std::exchange(feed_, origin.feed) != origin.feed;
}

bool Topic::set_status(TopicStatus status) {
  const MutexLock lock(mutex_);
  if (!last_) return false;
  change_status(status);
  return true;
}

void Topic::feed_down(FeedId feed) {
  const MutexLock lock(mutex_);
  if (feed_ != feed) return;
  if (is_live() || suspended_) change_status(TopicStatus::kStale);
}

void Topic::change_status(TopicStatus status) {
  suspended_ = false;
  if (status_beneath() == status) return;
  if (!halted_) return show_status(status);
  halted_->beneath = status;
  note_dirty();
}

void Topic::show_status(TopicStatus status) {
  Update::Parts parts;
  parts.seq = last_->seq();
  parts.ts = last_->ts();
  parts.status = status;
  parts.status_only = true;
  parts.image = last_->image();
  emit(std::move(parts));
}

UpdatePtr Topic::emit(Update::Parts parts) {
  if (halted_) {
    parts.status = TopicStatus::kHalted;
    parts.halt = halted_->shown;
  }
  if (!parts.status_only && epoch_no_ != commons_.epoch_no) {
    epoch_no_ = commons_.epoch_no;
    seq_at_epoch_ = parts.seq - 1;
  }
  const bool was_stale = last_ && last_->status() == TopicStatus::kStale;
  const bool is_stale = parts.status == TopicStatus::kStale;
  const bool becomes_live = parts.status == TopicStatus::kLive && !is_live();
  if (was_stale != is_stale) commons_.stale_count += is_stale ? 1 : -1;
  parts.topic = this;
  parts.delivery = delivery();
  parts.revision = last_ ? last_->revision() + 1 : 1;
  UpdatePtr before = std::exchange(last_, std::make_shared<const Update>(std::move(parts)));
  kept_ = true;
  if (!last_->status_only()) keep(last_);
  if (becomes_live) watch();
  if (traits_.ages() && (look_us_ == 0 || ring_.size() == 1)) look_later();
  commons_.sinks.deliver(sinks_, last_);
  note_dirty();
  return before;
}

void Topic::note_dirty() {
  if (!std::exchange(dirty_, true)) commons_.dirty.add(*this);
}

void Topic::prefetch_update() {
  if (!mutex_.try_lock()) return;
  fetch(last_.get(), sizeof(Update));
  if (!ring_.empty()) fetch(&ring_.front(), 1);
  mutex_.unlock();
}

void Topic::prefetch_image() {
  if (!mutex_.try_lock()) return;
  if (last_) fetch(last_->image().data(), std::min(last_->image().size(), kFetchBytesMax));
  if (!ring_.empty()) fetch(ring_.front().get(), sizeof(Update));  // the one that has to go
  mutex_.unlock();
}

// --- the ring -------------------------------------------------------------------------------------------

void Topic::keep(const UpdatePtr& update) {
  // Before it has to grow for one that does not stay.
  if (ring_.size() == traits_.ring && traits_.ring > 0) drop_oldest();
  UpdatePtr kept = Update::kept(update);
  ring_bytes_ += kept->memory_bytes();
  ring_.push_back(std::move(kept));
  trim_ring(update->ts());
}

std::vector<UpdatePtr> Topic::kept_between(std::uint64_t from, std::uint64_t to, std::size_t most) const {
  if (ring_.empty() || from > to) return {};
  const std::uint64_t first = ring_.front()->seq();
  const std::uint64_t begin = std::max(from, first);
  const std::uint64_t end = std::min(first + ring_.size(), to + 1);
  std::vector<UpdatePtr> out;
  for (std::uint64_t seq = begin; seq < end && out.size() < most; ++seq) out.push_back(ring_[seq - first]);
  return out;
}

void Topic::trim_ring(std::int64_t now_ms) {
  const std::size_t bytes_max =
      traits_.delivery == Delivery::kValue ? commons_.ring_share() : std::numeric_limits<std::size_t>::max();
  while (!ring_.empty()) {
    const bool too_large = ring_.size() > traits_.ring || ring_bytes_ > bytes_max;
    const bool too_old = traits_.ring_ms > 0 && now_ms - ring_.front()->ts() > traits_.ring_ms;
    if (!too_large && !too_old) return;
    drop_oldest();
  }
}

void Topic::drop_oldest() {
  ring_bytes_ -= ring_.pop_front()->memory_bytes();
}

// --- interest -------------------------------------------------------------------------------------------

Interest Topic::add_interest(SinkId sink, bool exact) {
  const MutexLock lock(mutex_);
  const bool delivered = (sinks_ & bit_of(sink)) != 0;
  sinks_ |= bit_of(sink);
  if (exact) ++exact_;
  return {this, last_, delivered};
}

bool Topic::drop_interest(SinkId sink, bool keep_delivering) {
  const MutexLock lock(mutex_);
  --exact_;
  if (!keep_delivering) sinks_ &= ~bit_of(sink);
  return exact_ == 0 && !kept_ && !std::exchange(unused_, true);
}

bool Topic::still_unused() {
  const MutexLock lock(mutex_);
  const bool unused = exact_ == 0 && !kept_;
  if (!unused) unused_ = false;
  return unused;
}

void Topic::stop_delivering(SinkId sink) {
  const MutexLock lock(mutex_);
  sinks_ &= ~bit_of(sink);
}

}  // namespace tickwire
