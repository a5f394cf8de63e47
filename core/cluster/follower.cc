#include "cluster/follower.h"

namespace tickwire::cluster {
namespace {

// Those of this node count up from 1.
constexpr FeedId kFirstForeignFeed = FeedId{1} << 31U;

}  // namespace

Follower::Step Follower::follow(const Entry& entry) {
  if (entry.n <= position_.n) return Step::kDone;  // it came twice
  const bool follows = entry.n == position_.n + 1 && entry.previous == position_.chain;
  if (!follows && !unguarded_.chain) return Step::kFork;
  if (entry.epoch != hub_.epoch()) hub_.set_epoch(entry.epoch);
  if (!hub_.epoch_is_reached()) return Step::kWait;
  apply(entry, {});
  move_to(entry);
  return Step::kDone;
}

void Follower::start_at(Position position, std::unordered_map<std::string, std::uint64_t> cuts) {
  position_ = std::move(position);
  cuts_ = std::move(cuts);
}

void Follower::apply(const Entry& entry, const Covered& covered) {
  // What cannot be read, no node can read: all go on without it.
  const Result<std::vector<Record>> records = read_records(entry.records);
  std::vector<Publisher::Outcome> outcomes;
  if (records) {
    for (const Record& record : *records) {
      const auto row = covered.find(record.topic);
      if (row != covered.end() && row->second >= entry.n) {
        outcomes.emplace_back(std::uint64_t{0});
      } else {
        apply(entry, record, outcomes);
      }
    }
  }
  outbox_.applied(entry.node, entry.batch, outcomes);
}

void Follower::move_to(const Entry& entry) {
  position_ = {entry.n, entry.nonce, entry.epoch, entry.ts};
}

std::uint64_t Follower::cut_of(const std::string& topic) const {
  const auto cut = cuts_.find(topic);
  return cut == cuts_.end() ? 0 : cut->second;
}

void Follower::apply(const Entry& entry, const Record& record, std::vector<Publisher::Outcome>& outcomes) {
  const FeedId feed = feed_here(entry.node, record.feed);
  if (record.kind == RecordKind::kFeedDown) {
    hub_.feed_down(feed);
  } else if (record.kind == RecordKind::kStatus) {
    static_cast<void>(hub_.set_status(record.topic, record.status));
  } else {
    const Result<ImageView> data = scan_payload(record.topic, record.data);
    const Result<UpdatePtr> update = data ? hub_.apply(record.topic, *data, feed, entry.ts, record.delivery)
                                          : Result<UpdatePtr>(data.error());
    if (!update) cuts_[std::string(record.topic)] = entry.n;
    outcomes.push_back(update ? Publisher::Outcome((*update)->seq()) : Publisher::Outcome(update.error()));
    return;
  }
  outcomes.emplace_back(std::uint64_t{0});
}

FeedId Follower::feed_here(const std::string& node, FeedId feed) {
  if (feed == 0 || outbox_.is_own(node)) return feed;
  const auto next = static_cast<FeedId>(kFirstForeignFeed + feeds_.size());
  return feeds_.emplace(std::pair(node, feed), next).first->second;
}

}  // namespace tickwire::cluster
