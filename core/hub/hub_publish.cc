#include <algorithm>
#include <array>

#include "hub/hub.h"

namespace tickwire {
namespace {

// Rows whose topics are looked up and fetched into the cache together: enough to keep memory busy, few enough
// to fit.
constexpr std::size_t kRun = 16;

constexpr std::size_t kFetchBytesMax = 1024;

void fetch(const void* start, std::size_t bytes) {
  constexpr std::size_t kLineBytes = 64;
  for (std::size_t at = 0; at < bytes; at += kLineBytes)
    __builtin_prefetch(static_cast<const char*>(start) + at);
}

Error image_too_large(std::string_view topic, std::size_t bytes) {
  return {ErrorCode::kBadData,
          "data: the image of " + std::string(topic) + " would have " + std::to_string(bytes) +
              " bytes, at most " + std::to_string(kImageBytesMax) + " are allowed",
          "data"};
}

}  // namespace

Result<UpdatePtr> Hub::publish(std::string_view name, std::string_view data, FeedId feed) {
  const Result<ImageView> scanned = scan_payload(name, data);
  if (!scanned) return scanned.error();
  return publish(name, *scanned, feed);
}

Publisher::Outcome Hub::publish(std::string_view name, ImageView data, FeedId feed, const Done& done) {
  const Result<UpdatePtr> update = publish(name, data, feed);
  Outcome outcome = update ? Outcome((*update)->seq()) : Outcome(update.error());
  if (done) done(outcome);
  return outcome;
}

Result<UpdatePtr> Hub::publish(std::string_view name, ImageView data, FeedId feed) {
  LockedTopic held = lock_known(name);
  if (held.topic == nullptr) {
    if (Status status = check_topic(name); !status) return status.error();
    held = lock_or_create(name);
  }
  return publish_locked(std::move(held), data, {feed, clock_.wall_ms(), clock_.steady_us()});
}

Result<UpdatePtr> Hub::publish_locked(LockedTopic held, ImageView data, Origin origin) {
  Topic& topic = *held.topic;
  Update::Parts parts;
  if (topic.delivery() == Delivery::kEvent) {  // it replaces the image whatever its fields are
    topic.fields_.forget();
  } else {
    const std::string_view image = topic.last_ ? topic.last_->image() : std::string_view();
    const std::size_t bytes = topic.fields_.merge(image, data, parts.image);
    if (bytes > kImageBytesMax) return image_too_large(topic.name, bytes);
  }
  parts.data = data.text;
  parts.seq = topic.last_ ? topic.last_->seq() + 1 : 1;
  // A wall clock that steps back must not make an update look older than the one before it.
  parts.ts = std::max(origin.ts, topic.last_ ? topic.last_->ts() : 0);
  const bool sticky = topic.last_ && (topic.last_->status() == TopicStatus::kHalted ||
                                      topic.last_->status() == TopicStatus::kClosed);
  parts.status = sticky ? topic.last_->status() : TopicStatus::kLive;
  const bool is_taken_over = topic.feed_ != origin.feed;
  topic.feed_ = origin.feed;
  topic.vouched_us_ = origin.steady_us;
  if (topic.traits_.stale_after_ms > 0) topic.heard_us_ = origin.steady_us;
  const UpdatePtr before = emit(held.lock, topic, std::move(parts));
  if (is_taken_over) watch(held.lock, topic);
  UpdatePtr now = topic.last_;
  held.lock.unlock();  // the memory of `before` is given back without it
  return now;
}

ShapeId Hub::shape_of(std::string keys) {
  if (keys.size() > kShapeBytesMax) return 0;
  const std::lock_guard lock(shapes_mutex_);
  if (const auto known = shapes_.find(keys); known != shapes_.end()) return known->second;
  if (shapes_.size() >= kShapesMax) return 0;
  const auto shape = static_cast<ShapeId>(shapes_.size() + 1);
  shapes_.emplace(std::move(keys), shape);
  return shape;
}

Status Hub::publish_rows(std::span<const std::string_view> names, Payloads& payloads, FeedId feed,
                         std::size_t& taken) {
  std::array<Topic*, kRun> topics{};
  for (taken = 0; taken < names.size();) {
    const auto run = names.subspan(taken, std::min(kRun, names.size() - taken));
    const Origin origin{feed, clock_.wall_ms(), clock_.steady_us()};
    find_kept(run, topics);
    prefetch(std::span(topics).first(run.size()));
    for (std::size_t i = 0; i < run.size(); ++i, ++taken) {
      Topic* const topic = topics.at(i);
      const Result<ImageView> data = payloads.at(taken);
      if (!data) return topic == nullptr ? topic_or(run[i], data.error()) : data.error();
      const auto published = topic == nullptr
                                 ? publish(run[i], *data, feed)
                                 : publish_locked({topic, TopicLock(topic->mutex_)}, *data, origin);
      if (!published) return published.error();
    }
  }
  return ok_status();
}

void Hub::find_kept(std::span<const std::string_view> names, std::span<Topic*> topics) const {
  std::array<std::size_t, kRun> hashes{};
  const std::shared_lock directory(directory_mutex_);
  for (std::size_t i = 0; i < names.size(); ++i) {
    hashes.at(i) = TopicIndex::hash(names[i]);
    topics_.prefetch(hashes.at(i));
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    Topic* const topic = topics_.find(names[i], hashes.at(i));
    topics[i] = topic != nullptr && topic->kept_ ? topic : nullptr;
  }
}

void Hub::prefetch(std::span<Topic* const> topics) {
  const auto each = [&](auto&& look) {
    for (Topic* const topic : topics) {
      if (topic == nullptr) continue;
      if (const TopicLock lock(topic->mutex_, std::try_to_lock); lock) look(*topic);
    }
  };
  each([](const Topic& topic) {
    fetch(topic.last_.get(), sizeof(Update));
    if (!topic.ring_.empty()) fetch(&topic.ring_.front(), 1);
  });
  each([](const Topic& topic) {
    fetch(topic.last_->image().data(), std::min(topic.last_->image().size(), kFetchBytesMax));
    if (!topic.ring_.empty()) fetch(topic.ring_.front().get(), sizeof(Update));  // the one that has to go
  });
}

}  // namespace tickwire
