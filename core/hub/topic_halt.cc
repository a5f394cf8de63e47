// What an operator's halt does to a topic. While it is on, feeds go on publishing, and nobody sees it: the
// updates of a value topic are merged, and come as one when the halt is over; those of an event topic are
// dropped. What a feed, its age or its silence say of its status counts once the halt is over.
#include <algorithm>
#include <unordered_set>
#include <utility>
#include <vector>

#include "hub/publisher.h"
#include "hub/topic.h"
#include "model/json_object.h"

namespace tickwire {
namespace {

Error too_many_halts() {
  return {ErrorCode::kTooMany,
          "topic: " + std::to_string(kHaltsMax) +
              " topics are halted, at most so many at one time; end a halt first",
          "topic"};
}

Error held(std::string_view topic, const Halt& halt, std::int64_t now_ms) {
  const std::int64_t left_ms = halt.until_ms == 0 ? 0 : std::max<std::int64_t>(halt.until_ms - now_ms, 1);
  return {ErrorCode::kDenied,
          "topic: " + std::string(topic) + " is halted" +
              (left_ms == 0 ? "" : " for " + std::to_string((left_ms + 999) / 1000) + " s more") + ": " +
              halt.reason,
          "topic",
          {},
          left_ms};
}

// An update that makes `after` of the image `before`: that image, behind what it has no more.
std::string update_between(std::string_view before, std::string_view after) {
  std::vector<JsonField> old, now;
  if (!scan_object(before, old, kImageLimits) || !scan_object(after, now, kImageLimits)) {
    return std::string(after);
  }
  std::unordered_set<std::string_view> kept;
  for (const JsonField& field : now) kept.insert(field.key_in(after));
  std::string out = "{";
  for (const JsonField& field : old) {
    const std::string_view key = field.key_in(before);
    if (!kept.contains(key)) out.append("\"").append(key).append("\":null,");
  }
  if (now.empty() && out.size() > 1) out.pop_back();
  return out.append(after.substr(1));
}

}  // namespace

TopicStatus Topic::status_beneath() const {
  return halted_ ? halted_->beneath : last_->status();
}

bool Topic::hold(HaltPtr halt, TopicStatus beneath) {
  if (!halted_) {
    if (!commons_.halts.add(*this)) return false;
    halted_ = std::make_unique<TopicHalt>();
    halted_->beneath = beneath;
    halted_->fields.forget();
  }
  halted_->shown = std::move(halt);
  return true;
}

Status Topic::halt(HaltPtr halt) {
  const MutexLock lock(mutex_);
  if (!last_) return nothing_published(name);
  if (!hold(std::move(halt), last_->status())) return too_many_halts();
  show_status(TopicStatus::kHalted);
  look_later();
  return ok_status();
}

std::optional<std::uint64_t> Topic::end_halt() {
  const MutexLock lock(mutex_);
  if (!halted_) return std::nullopt;
  const std::uint64_t withheld = halted_->withheld;
  lift_halt();
  return withheld;
}

std::optional<HaltedTopic> Topic::halted() const {
  const MutexLock lock(mutex_);
  if (!halted_) return std::nullopt;
  return HaltedTopic{name, halted_->shown, halted_->withheld};
}

Result<UpdatePtr> Topic::withhold(ImageView data, const Origin& origin) {
  TopicHalt& halted = *halted_;
  if (origin.by_client) return held(name, *halted.shown, origin.ts);
  if (delivery() == Delivery::kValue) {
    const std::string_view image = halted.image.empty() ? last_->image() : std::string_view(halted.image);
    const std::size_t bytes_max = std::min(kImageBytesMax, image.size() + commons_.image_room());
    std::string merged;
    const std::size_t bytes = halted.fields.merge(image, data, merged, bytes_max);
    if (bytes > bytes_max) return no_room_for(bytes);
    halted.image = merged.empty() ? std::string(data.text) : std::move(merged);
  }
  ++halted.withheld;
  ++commons_.withheld;
  halted.beneath = after_update(halted.beneath);
  if (heard_from(origin)) watch();
  return last_;
}

// What was withheld comes before the status, since to a client a halted topic stays halted through updates.
void Topic::lift_halt() {
  if (!halted_->image.empty() && delivery() == Delivery::kValue) {
    fields_.forget();
    commons_.image_bytes +=
        static_cast<std::int64_t>(halted_->image.size()) - static_cast<std::int64_t>(last_->image().size());
    Update::Parts parts;
    parts.data = update_between(last_->image(), halted_->image);
    if (parts.data != halted_->image) parts.image = std::move(halted_->image);
    parts.seq = last_->seq() + 1;
    parts.ts = std::max(commons_.clock.wall_ms(), last_->ts());
    emit(std::move(parts));
  }
  const TopicStatus beneath = halted_->beneath;
  halted_.reset();
  commons_.halts.remove(*this);
  show_status(beneath);
}

}  // namespace tickwire
