#include "client/client_topics.h"

#include <algorithm>
#include <memory>

#include "model/keyed_hash.h"

namespace tickwire {

ClientTopics::ClientTopics() : statuses_{"live", "stale"} {}

std::uint32_t ClientTopics::number_of(std::string_view name) const {
  return by_name_.find(keyed_hash(name),
                       [&](std::uint32_t number) { return topics_[number].name.view() == name; });
}

const ClientTopic* ClientTopics::find(std::string_view name) const {
  const std::uint32_t number = number_of(name);
  return number == SlotTable::kNone ? nullptr : &topics_[number];
}

ClientTopic& ClientTopics::change(std::string_view name) {
  std::uint32_t number = number_of(name);
  if (number == SlotTable::kNone) {
    if (free_.empty()) {
      number = static_cast<std::uint32_t>(topics_.size());
      topics_.emplace_back();
    } else {
      number = free_.back();
      free_.pop_back();
    }
    topics_[number].name.assign(name);
    topics_[number].number = number;
    by_name_.insert(keyed_hash(name), number);
  }
  topics_[number].armed_in = 0;
  return topics_[number];
}

bool ClientTopics::forget(std::string_view name) {
  const std::uint32_t number = number_of(name);
  if (number == SlotTable::kNone) return false;
  by_name_.erase(keyed_hash(name), number);
  std::destroy_at(&topics_[number]);
  std::construct_at(&topics_[number]);
  free_.push_back(number);
  return true;
}

StatusNumber ClientTopics::status_number(std::string_view status) {
  const auto found = std::ranges::find(statuses_, status);
  const auto number = static_cast<StatusNumber>(found - statuses_.begin());
  if (found == statuses_.end()) {
    if (statuses_.size() == kStatusesMax) return kNoStatus;
    statuses_.emplace_back(status);
  }
  return number;
}

bool ClientTopics::replace_image(ClientTopic& topic, std::string_view data) {
  if (!scan_object(data, fields_, kImageLimits)) return false;
  return apply(topic, data, true);
}

bool ClientTopics::merge_image(ClientTopic& topic, std::string_view data) {
  if (topic.image_elsewhere || !scan_object(data, fields_, kImageLimits)) return false;
  return apply(topic, data, false);
}

void ClientTopics::move_image_out(ClientTopic& topic) {
  topic.image.assign({});
  topic.fields.forget();
  topic.image_elsewhere = true;
  image_changed(topic);
}

// `data` was scanned into fields_.
bool ClientTopics::apply(ClientTopic& topic, std::string_view data, bool replaces) {
  if (replaces) {
    topic.image.assign(data);
    topic.fields.replace(fields_);
  } else {
    merged_.clear();
    if (topic.fields.merge(topic.image, {data, fields_, 0}, merged_) > kImageBytesMax) return false;
    topic.image.assign(merged_.empty() ? data : std::string_view(merged_));
  }
  topic.image_elsewhere = false;
  image_changed(topic);
  return true;
}

void ClientTopics::image_changed(ClientTopic& topic) {
  topic.image_version = ++versions_;
  if (!lists_changes_ || topic.listed) return;
  topic.listed = true;
  if (changed_.size() > 2 * topics_.size()) {  // many of them were forgotten since
    changed_.clear();
    each([&](const ClientTopic& other) {
      if (other.listed) changed_.push_back(other.number);
    });
  } else {
    changed_.push_back(topic.number);
  }
}

void ClientTopics::arm(ClientTopic& topic, std::uint32_t route) const {
  topic.route = route;
  topic.armed_in = generation_;
}

void ClientTopics::disarm(std::string_view name) {
  const std::uint32_t number = number_of(name);
  if (number != SlotTable::kNone) topics_[number].armed_in = 0;
}

const ClientTopic* ClientTopics::go_on(std::string_view text, const MessageHead& head,
                                       std::uint64_t& seq_before) {
  const std::uint32_t number = number_of(head.topic);
  if (number == SlotTable::kNone) return nullptr;
  ClientTopic& topic = topics_[number];
  if (!is_armed(topic) || head.is_event != topic.event) return nullptr;
  if (head.is_snapshot) {
    const bool live = topic.said == kLiveStatus && head.status == statuses_[kLiveStatus];
    if (!live || head.seq <= topic.seq) return nullptr;
  } else if (head.seq != topic.seq + 1 || topic.said == kStaleStatus) {
    return nullptr;
  }
  const std::string_view data = text.substr(head.data_at, head.data_size);
  if (!scan_object(data, fields_, kImageLimits)) return nullptr;
  if (!apply(topic, data, head.is_snapshot || topic.event)) return nullptr;
  seq_before = topic.seq;
  topic.seq = head.seq;
  return &topic;
}

}  // namespace tickwire
