#include "fanout/snapshot_page.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "fanout/subscriptions.h"

namespace tickwire {
namespace {

constexpr std::size_t kEntryBytes = 100;  // around a name and an image, about

}  // namespace

Result<SnapshotPage::Place> SnapshotPage::parse_place(std::string_view text, std::size_t topics) {
  Place place;
  if (text.empty()) return place;
  const std::string_view item = text.substr(0, text.find(':'));
  const auto [end, error] = std::from_chars(item.data(), item.data() + item.size(), place.item);
  const bool number = error == std::errc{} && end == item.data() + item.size();
  if (number && item.size() < text.size()) place.after = text.substr(item.size() + 1);
  if (number && place.item < topics && (place.after.empty() || check_topic(place.after))) return place;
  return Error{ErrorCode::kBadMessage, "after: must be the next of an answer about the same topics", "after"};
}

SnapshotPage::SnapshotPage(const Hub& hub, std::vector<std::string> topics, Admission::Decisions decisions,
                           Extent extent)
    : hub_(&hub),
      topics_(std::move(topics)),
      decisions_(std::move(decisions)),
      place_(std::move(extent.from)),
      shown_to_(place_.after),
      limit_(extent.limit),
      patterns_max_(extent.patterns_max) {}

std::string SnapshotPage::next() const {
  if (place_.item == topics_.size()) return {};
  std::string text = std::to_string(place_.item);
  if (!shown_to_.empty()) text.append(":").append(shown_to_);
  return text;
}

std::optional<Limit> SnapshotPage::cut_short() const {
  if (!full_) return std::nullopt;
  if (entries_.size() < limit_) return Limit::kGetBytes;
  return limit_ == kGetTopicsMax ? std::optional(Limit::kGetTopics) : std::nullopt;
}

bool SnapshotPage::run(const Budget& budget) {
  if (!note_items(budget)) return false;
  while (!full_ && place_.item < topics_.size()) {
    if (budget.spent()) return false;
    Work::count();
    if (!add_item(budget)) continue;  // as far as it went; the conditions say why
    note(place_.item++);
    place_.after.clear();
    shown_to_.clear();
  }
  return true;
}

bool SnapshotPage::note_items(const Budget& budget) {
  for (; checked_ < topics_.size(); ++checked_) {
    if (budget.spent()) return false;
    Work::count();
    check(checked_);
    if (checked_ < place_.item) note(checked_);
  }
  return true;
}

void SnapshotPage::note(std::size_t item) {
  const std::string& topic = topics_[item];
  if (!decisions_[item]) return;
  if (is_pattern(topic)) {
    patterns_.at(Pattern::parse(topic).value()) = decisions_[item]->filter;
  } else {
    exact_.insert(topic);
  }
}

void SnapshotPage::check(std::size_t item) {
  const std::string& topic = topics_[item];
  if (!decisions_[item]) return;
  const Result<Pattern> pattern = Pattern::parse(topic);
  if (!pattern) {
    Work::count(kErrorSteps);
    decisions_[item] = pattern.error();
  } else if (is_pattern(topic) && ++patterns_checked_ > patterns_max_) {
    Work::count(kErrorSteps);
    decisions_[item] = Error{ErrorCode::kTooMany,
                             "topics: at most " + std::to_string(patterns_max_) + " patterns in one command",
                             "topics", Limit::kPatternsPerSession};
  }
}

bool SnapshotPage::add_item(const Budget& budget) {
  const std::string& topic = topics_[place_.item];
  const Result<Grant>& decision = decisions_[place_.item];
  if (!decision) return add(topic, decision.error());
  if (!is_pattern(topic)) return add_topic(topic);
  return add_matches(Pattern::parse(topic).value(), decision->filter, budget);
}

bool SnapshotPage::add_topic(const std::string& topic) {
  Work::count();
  UpdatePtr update = hub_->find(topic);
  if (update == nullptr) {
    Work::count(kErrorSteps);
    return add(topic, Error{ErrorCode::kUnknownTopic, topic + ": nothing was published to it", ""});
  }
  return shown_before(topic) || add({}, std::move(update));
}

bool SnapshotPage::add_matches(const Pattern& pattern, const FilterPtr& filter, const Budget& budget) {
  if (!listed_) listed_.emplace().looked_to = place_.after;
  while (true) {
    while (listed_->next < listed_->updates.size()) {
      if (budget.spent()) return false;
      Work::count();
      UpdatePtr& update = listed_->updates[listed_->next];
      const std::string& name = update->topic().name;
      if (lets(filter, name)) {
        if (!shown_before(name) && !add({}, std::move(update))) return false;
        shown_to_ = name;
      }
      place_.after = name;
      ++listed_->next;
    }
    place_.after = listed_->looked_to;
    if (listed_->end) break;
    if (budget.spent()) return false;
    listed_->updates.clear();
    listed_->next = 0;
    listed_->end =
        hub_->list(pattern, listed_->looked_to, limit_ + 1 - entries_.size(), budget, listed_->updates);
  }
  listed_.reset();
  return true;
}

bool SnapshotPage::add(std::string topic, Result<UpdatePtr> state) {
  const std::size_t bytes =
      kEntryBytes + (state ? (*state)->image().size() : topic.size() + state.error().message.size());
  full_ = entries_.size() == limit_ || (!entries_.empty() && bytes_ + bytes > kGetBytesMax);
  if (full_) return false;
  bytes_ += bytes;
  entries_.push_back({std::move(topic), std::move(state)});
  return true;
}

bool SnapshotPage::shown_before(std::string_view topic) const {
  if (exact_.contains(topic)) return true;
  return !patterns_.empty() &&
         patterns_.any_match(topic, [topic](const FilterPtr& filter) { return lets(filter, topic); });
}

bool SnapshotPage::write(SnapshotsWriter& writer, const Budget& budget) const {
  while (writer.count() < entries_.size()) {
    if (budget.spent()) return false;
    const Entry& entry = entries_[writer.count()];
    if (!entry.state) {
      writer.add(entry.topic, entry.state.error());
      continue;
    }
    const Update& update = **entry.state;
    writer.add({.topic = update.topic().name,
                .seq = update.seq(),
                .ts = update.ts(),
                .delivery = update.delivery(),
                .status = update.status(),
                .data = update.image(),
                .halt = update.halt()});
  }
  return true;
}

}  // namespace tickwire
