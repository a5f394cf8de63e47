#include <algorithm>
#include <array>
#include <utility>

#include "hub/hub.h"

namespace tickwire {

Result<UpdatePtr> Hub::publish(std::string_view name, std::string_view data, FeedId feed) {
  const Result<ImageView> scanned = scan_payload(name, data);
  if (!scanned) return scanned.error();
  return publish(name, *scanned, feed);
}

Result<UpdatePtr> Hub::publish(std::string_view name, ImageView data, FeedId feed) {
  if (Topic* const topic = directory_.find_kept(name)) return topic->publish(data, origin_of(feed));
  if (Status status = check_topic(name); !status) return status.error();
  if (Status free = check_not_reserved(name); !free) return free.error();
  if (Status room = room_for_topic(name, data.text.size()); !room) return room.error();
  return directory_.with_topic(name, [&](Topic& topic) { return topic.publish(data, origin_of(feed)); });
}

Publisher::Outcome Hub::publish(std::string_view name, ImageView data, FeedId feed, const Done& done) {
  const Result<UpdatePtr> update = publish(name, data, feed);
  Outcome outcome = update ? Outcome((*update)->seq()) : Outcome(update.error());
  if (done) done(outcome);
  return outcome;
}

ShapeId Hub::shape_of(std::string keys) {
  if (keys.size() > kShapeBytesMax) return 0;
  const MutexLock lock(shapes_mutex_);
  if (const auto known = shapes_.find(keys); known != shapes_.end()) return known->second;
  if (shapes_.size() >= kShapesMax) return 0;
  const auto shape = static_cast<ShapeId>(shapes_.size() + 1);
  shapes_.emplace(std::move(keys), shape);
  return shape;
}

Status Hub::publish_rows(std::span<const std::string_view> names, Payloads& payloads, FeedId feed,
                         std::size_t& taken) {
  // Rows whose topics are looked up and fetched into the cache together: enough to keep memory busy, few
  // enough to fit.
  constexpr std::size_t kRun = Directory::kFindMax;
  std::array<Topic*, kRun> topics{};
  const auto each_known = [&topics](std::size_t rows, auto&& use) {
    for (Topic* const topic : std::span(topics).first(rows)) {
      if (topic != nullptr) use(*topic);
    }
  };
  for (taken = 0; taken < names.size();) {
    const auto run = names.subspan(taken, std::min(kRun, names.size() - taken));
    const Origin origin = origin_of(feed);
    directory_.find_kept(run, topics);
    each_known(run.size(), [](Topic& topic) { topic.prefetch_update(); });
    each_known(run.size(), [](Topic& topic) { topic.prefetch_image(); });
    for (std::size_t i = 0; i < run.size(); ++i, ++taken) {
      Topic* const topic = topics.at(i);
      const Result<ImageView> data = payloads.at(taken);
      if (!data) return topic == nullptr ? topic_or(run[i], data.error()) : data.error();
      const auto published = topic == nullptr ? publish(run[i], *data, feed) : topic->publish(*data, origin);
      if (!published) return published.error();
    }
  }
  return ok_status();
}

Status Hub::set_status(std::string_view name, TopicStatus status) {
  if (Status valid = check_topic(name); !valid) return valid.error();
  Topic* const topic = directory_.find_kept(name);
  if (topic != nullptr && topic->set_status(status)) return ok_status();
  return nothing_published(name);
}

Status Hub::halt(std::string_view name, HaltPtr halt) {
  if (Status valid = check_topic(name); !valid) return valid.error();
  Topic* const topic = directory_.find_kept(name);
  return topic != nullptr ? topic->halt(std::move(halt)) : nothing_published(name);
}

Result<std::uint64_t> Hub::end_halt(std::string_view name) {
  if (Status valid = check_topic(name); !valid) return valid.error();
  Topic* const topic = directory_.find_kept(name);
  const std::optional<std::uint64_t> withheld = topic != nullptr ? topic->end_halt() : std::nullopt;
  if (withheld) return *withheld;
  return Error{ErrorCode::kUnknownTopic, "topic: " + std::string(name) + " is not halted by an operator",
               "topic"};
}

std::vector<HaltedTopic> Hub::halted() const {
  std::vector<HaltedTopic> out;
  for (const Topic* const topic : commons_.halts.all()) {
    if (auto halted = topic->halted()) out.push_back(std::move(*halted));
  }
  std::ranges::sort(out, {}, &HaltedTopic::topic);
  return out;
}

void Hub::feed_down(FeedId feed) {
  directory_.each_topic([feed](Topic& topic) { topic.feed_down(feed); });
}

}  // namespace tickwire
