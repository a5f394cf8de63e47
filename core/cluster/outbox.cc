#include "cluster/outbox.h"

#include <utility>

#include "model/topic_name.h"

namespace tickwire::cluster {
namespace {

Error cut_off() {
  return {ErrorCode::kUnavailable, "the server is cut off from its cluster; try again later", ""};
}

Error lost_sight() {
  return {ErrorCode::kUnavailable,
          "the server was away from its cluster; whether this was published is not known", ""};
}

Publisher::Outcome outcome_of(const std::vector<Publisher::Outcome>& outcomes, std::size_t nth) {
  return nth < outcomes.size() ? outcomes[nth] : Publisher::Outcome(std::uint64_t{0});
}

}  // namespace

Publisher::Outcome Outbox::publish(std::string_view topic, ImageView data, FeedId feed, const Done& done) {
  Status taken = check_topic(topic);
  if (taken) taken = check_not_reserved(topic);
  if (taken) taken = hub_.room_for_topic(topic, data.text.size());
  if (taken) {
    taken = put({.kind = RecordKind::kUpdate,
                 .feed = feed == kClientFeed ? 0 : feed,
                 .topic = topic,
                 .delivery = hub_.delivery_of(topic),
                 .data = data.text},
                done);
  }
  if (taken) return std::uint64_t{0};
  if (done) done(taken.error());
  return taken.error();
}

Status Outbox::publish_rows(std::span<const std::string_view> topics, Payloads& payloads, FeedId feed,
                            std::size_t& taken) {
  for (taken = 0; taken < topics.size(); ++taken) {
    const Result<ImageView> data = payloads.at(taken);
    if (!data) return topic_or(topics[taken], data.error());
    if (const Outcome put = publish(topics[taken], *data, feed, {}); !put) return put.error();
  }
  return ok_status();
}

Status Outbox::set_status(std::string_view topic, TopicStatus status) {
  if (Status valid = check_topic(topic); !valid) return valid;
  if (hub_.find(topic) == nullptr) return nothing_published(topic);
  return put({.kind = RecordKind::kStatus, .topic = topic, .status = status}, {});
}

void Outbox::feed_down(FeedId feed) {
  static_cast<void>(put({.kind = RecordKind::kFeedDown, .feed = feed}, {}));
}

void Outbox::when_current(std::function<void(bool current)> then) {
  currency_.ask(std::move(then));
  wake_();
}

Status Outbox::put(const Record& record, const Done& done) {
  Waiting waiting{{}, done};
  append_record(waiting.record, record);
  {
    const MutexLock lock(mutex_);
    if (!reachable_) return cut_off();
    if (bytes_ + waiting.record.size() > bytes_max_) {
      return Error{ErrorCode::kTooMany,
                   "data: " + std::to_string(bytes_max_ >> 20U) +
                       " MB wait to be published already, that is the limit",
                   "data"};
    }
    bytes_ += waiting.record.size();
    waiting_.push_back(std::move(waiting));
  }
  wake_();
  return ok_status();
}

// --- who writes the log ---------------------------------------------------------------------------------

std::optional<Outbox::Parcel> Outbox::next() {
  const MutexLock lock(mutex_);
  for (const Sent& sent : sent_) {
    if (!sent.in_log) return Parcel{sent.no, sent.records};
  }
  if (waiting_.empty()) return std::nullopt;
  close_batch();
  return Parcel{sent_.back().no, sent_.back().records};
}

void Outbox::close_batch() {
  Sent batch{++last_no_, {}, {}};
  while (!waiting_.empty() && batch.dones.size() < kBatchRecordsMax) {
    const std::string_view record = waiting_.front().record;
    if (!batch.dones.empty() && batch.records.size() + record.size() > kBatchBytesMax) break;
    batch.records.append(batch.records.empty() ? record : record.substr(1));
    batch.dones.push_back(std::move(waiting_.front().done));
    bytes_ -= record.size();
    waiting_.pop_front();
  }
  bytes_ += batch.records.size();
  sent_.push_back(std::move(batch));
}

void Outbox::appended(std::uint64_t no) {
  const MutexLock lock(mutex_);
  for (Sent& sent : sent_) sent.in_log = sent.in_log || sent.no == no;
}

void Outbox::in_log(std::uint64_t no) {
  const MutexLock lock(mutex_);
  for (Sent& sent : sent_) sent.in_log = sent.no <= no;
}

void Outbox::set_node(const std::string& node) {
  std::deque<Sent> unknown;
  {
    const MutexLock lock(mutex_);
    node_ = node;
    unknown = std::exchange(sent_, {});
    for (const Sent& sent : unknown) bytes_ -= sent.records.size();
    last_no_ = 0;
  }
  for (const Sent& sent : unknown) {
    for (const Done& done : sent.dones) {
      if (done) done(lost_sight());
    }
  }
}

std::size_t Outbox::drop_waiting() {
  std::deque<Waiting> waiting;
  {
    const MutexLock lock(mutex_);
    waiting = std::exchange(waiting_, {});
    for (const Waiting& one : waiting) bytes_ -= one.record.size();
  }
  for (const Waiting& one : waiting) {
    if (one.done) one.done(cut_off());
  }
  return waiting.size();
}

void Outbox::set_reachable(bool reachable) {
  const MutexLock lock(mutex_);
  reachable_ = reachable;
}

// --- who follows the log --------------------------------------------------------------------------------

bool Outbox::is_own(const std::string& node) const {
  const MutexLock lock(mutex_);
  return node == node_;
}

void Outbox::applied(const std::string& node, std::uint64_t no, const std::vector<Outcome>& outcomes) {
  std::vector<Sent> done_with;
  {
    const MutexLock lock(mutex_);
    if (node != node_) return;
    while (!sent_.empty() && sent_.front().no <= no) {
      bytes_ -= sent_.front().records.size();
      done_with.push_back(std::move(sent_.front()));
      sent_.pop_front();
    }
  }
  for (const Sent& sent : done_with) {
    for (std::size_t nth = 0; nth < sent.dones.size(); ++nth) {
      if (!sent.dones[nth]) continue;
      sent.dones[nth](sent.no == no ? outcome_of(outcomes, nth) : outcome_of({}, nth));
    }
  }
}

std::size_t Outbox::bytes() const {
  const MutexLock lock(mutex_);
  return bytes_;
}

}  // namespace tickwire::cluster
