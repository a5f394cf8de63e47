#include "hub/hub.h"

#include <algorithm>
#include <string>
#include <utility>

namespace tickwire {

Hub::Hub(const Clock& clock, const std::vector<TopicRule>& rules, std::size_t ring_bytes_max,
         std::int64_t linger_us, const HubLimits& limits)
    : commons_{.clock = clock, .ring_bytes_max = ring_bytes_max, .linger_us = linger_us, .limits = limits},
      directory_(commons_) {
  set_rules(rules);
}

// --- time and the store ---------------------------------------------------------------------------------

void Hub::follow_demand(FeedId feed) {
  if (!commons_.demand.follow(feed)) return;
  directory_.each_topic([feed](Topic& topic) { topic.watch_feed(feed); });
}

void Hub::sweep() {
  const std::int64_t now_us = commons_.clock.steady_us();
  for (const auto& [feed, name] : commons_.demand.take_given_up()) {
    if (Topic* const topic = directory_.find_kept(name)) topic->give_up(feed, now_us);
  }
  for (const auto& [due_us, topic] : commons_.watched.take(now_us)) {
    Work::count();
    topic->look(due_us, now_us);
  }
  directory_.erase_unused();
  share_rings();
}

// The more topics there are, the less memory each has for its ring. A topic's ring is cut when it is
// published to; the rings of quiet topics are cut here, each time the topics have become a quarter more.
void Hub::share_rings() {
  const std::size_t total = topic_count();
  const std::size_t shared_by = std::min<std::size_t>(rings_shared_by_, total);
  rings_shared_by_ = shared_by;
  if (total < shared_by + std::max<std::size_t>(shared_by / 4, 1)) return;
  rings_shared_by_ = total;
  const std::int64_t wall_ms = commons_.clock.wall_ms();
  directory_.each_topic([wall_ms](Topic& topic) {
    Work::count();
    topic.share_ring(wall_ms);
  });
}

std::vector<Dirty> Hub::take_dirty() {
  const std::vector<Topic*> topics = commons_.dirty.take();
  std::vector<Dirty> out;
  out.reserve(topics.size());
  for (Topic* const topic : topics) out.push_back(topic->take_dirty());
  return out;
}

// --- interest -------------------------------------------------------------------------------------------

SinkId Hub::add_sink(UpdateSink& sink) {
  const MutexLock lock(epoch_mutex_);
  return commons_.sinks.add(sink);
}

void Hub::remove_sink(SinkId sink) {
  directory_.drop_sink(sink);
  directory_.each_topic([sink](Topic& topic) { topic.stop_delivering(sink); });
  const MutexLock lock(epoch_mutex_);
  commons_.sinks.remove(sink);
}

Result<Interest> Hub::add_interest(SinkId sink, std::string_view name) {
  if (Status status = check_topic(name); !status) return status.error();
  if (Status room = room_for_topic(name); !room) return room.error();
  const Interest interest =
      directory_.with_topic(name, [sink](Topic& topic) { return topic.add_interest(sink, true); });
  Work::count(4);
  commons_.demand.topic_wanted(interest.topic->name, true);
  return interest;
}

void Hub::drop_interest(SinkId sink, Topic& topic, bool keep_delivering) {
  const std::string name = topic.name;  // it may be gone at once
  const bool unused = topic.drop_interest(sink, keep_delivering);
  if (unused) directory_.note_unused(topic);
  Work::count(unused ? 4 : 3);
  commons_.demand.topic_wanted(name, false);
}

void Hub::add_pattern_interest(SinkId sink, const Pattern& pattern, const FilterPtr& filter) {
  directory_.add_pattern(sink, pattern);
  commons_.demand.pattern_wanted(pattern, filter, true);
}

bool Hub::join_topics(SinkId sink, const Pattern& pattern, const FilterPtr& filter, std::string& after,
                      std::vector<Interest>& out) {
  return directory_.scan(pattern, after, [&](const TopicPtr& topic) {
    if (!lets(filter, topic->name)) return;
    Work::count();
    out.push_back(topic->add_interest(sink, false));
  });
}

void Hub::drop_pattern_interest(SinkId sink, const Pattern& pattern, const FilterPtr& filter, bool last) {
  if (last) directory_.drop_pattern(sink, pattern);
  commons_.demand.pattern_wanted(pattern, filter, false);
}

// --- reading --------------------------------------------------------------------------------------------

UpdatePtr Hub::find(std::string_view name) const {
  const Topic* const topic = directory_.find_kept(name);
  return topic != nullptr ? topic->last() : nullptr;
}

TopicPtr Hub::find_topic(std::string_view name) const {
  Work::count();
  return directory_.find(name);
}

std::vector<UpdatePtr> Hub::list(const Pattern& pattern, std::string_view after, std::size_t limit) const {
  std::vector<UpdatePtr> out;
  std::string from(after);
  list(pattern, from, limit, Budget::unlimited(), out);
  return out;
}

bool Hub::list(const Pattern& pattern, std::string& after, std::size_t limit, const Budget& budget,
               std::vector<UpdatePtr>& out) const {
  while (out.size() < limit && !budget.spent()) {
    const std::size_t before = out.size();
    std::vector<TopicPtr> found;
    const bool end = directory_.scan(pattern, after, [&](const TopicPtr& topic) { found.push_back(topic); });
    for (const TopicPtr& topic : found) {
      UpdatePtr last = topic->last();
      if (!last) continue;
      if (out.size() == limit) {  // no more than asked for: the next piece begins after the last one of these
        after = out.back()->topic().name;
        return false;
      }
      out.push_back(std::move(last));
    }
    Work::count(out.size() - before);
    if (end) return true;
  }
  return false;
}

std::size_t Hub::stale_count() const {
  return static_cast<std::size_t>(std::max<std::int64_t>(commons_.stale_count, 0));
}

// --- limits ---------------------------------------------------------------------------------------------

namespace {

Error no_room(std::string_view what, std::size_t most, Limit limit) {
  return {ErrorCode::kTooMany,
          "topics: the server has " + std::to_string(most) + " " + std::string(what) +
              ", at most as many as limits." + std::string(name_of(limit)) + " says",
          "", limit};
}

Error no_memory() {
  return {ErrorCode::kTooMany,
          "topics: the server is short of memory (limits.memory_mb) and takes nothing new; try again later",
          "", Limit::kMemory};
}

}  // namespace

Status Hub::room_for_topic(std::string_view name, std::size_t image_bytes) const {
  const bool many = commons_.topic_count >= commons_.limits.topics_max;
  const bool large = image_bytes > commons_.image_room();
  if (!many && !large && !commons_.memory_full) return ok_status();
  if (directory_.find(name) != nullptr) return ok_status();
  if (many) return no_room("topics", commons_.limits.topics_max, Limit::kTopics);
  if (commons_.memory_full) return no_memory();
  return no_room("MB of images", commons_.limits.image_bytes_max >> 20U, Limit::kImages);
}

Status Hub::room_for_pattern() const {
  if (commons_.memory_full) return no_memory();
  if (commons_.pattern_count < commons_.limits.patterns_max) return ok_status();
  return no_room("patterns", commons_.limits.patterns_max, Limit::kPatterns);
}

std::size_t Hub::image_bytes() const {
  return static_cast<std::size_t>(std::max<std::int64_t>(commons_.image_bytes, 0));
}

// --- the epoch ------------------------------------------------------------------------------------------

void Hub::set_epoch(std::string epoch) {
  const MutexLock lock(epoch_mutex_);
  last_epoch_ = std::exchange(epoch_, std::move(epoch));
  ++commons_.epoch_no;
  commons_.sinks.deliver_epoch(epoch_, epochs_on_way_);
}

std::string Hub::last_epoch() const {
  const MutexLock lock(epoch_mutex_);
  return last_epoch_;
}

std::string Hub::epoch() const {
  const MutexLock lock(epoch_mutex_);
  return epoch_;
}

}  // namespace tickwire
