#include "cluster/loader.h"

#include <algorithm>
#include <utility>

namespace tickwire::cluster {
namespace {

Error hole(const std::string& where) {
  return {ErrorCode::kUnavailable, "the cluster's log has a hole " + where + "; it is read again", ""};
}

}  // namespace

Status Loader::read(Log& log, Table& table, const std::string& node) {
  *this = {};
  const Result<LogState> state = log.state(node);
  if (!state) return state.error();
  batch_ = state->batch;
  const Result<Position> written = table.written();
  if (!written) return written.error();
  table_ = *written;
  if (Status rows = read_rows(table); !rows) return rows;
  std::uint64_t until = std::max(state->head.n, written->n);
  for (const auto& [topic, row] : rows_) until = std::max(until, row.n);
  if (Status entries = read_log(log, until); !entries) return entries;
  if (!joins_up(*written)) return hole("between its table and its first entry");
  find_epochs(*written);
  return ok_status();
}

Status Loader::read_rows(Table& table) {
  std::string cursor;
  do {
    Result<Rows> some = table.read_rows(cursor);
    if (!some) return some.error();
    for (Row& row : some->rows) {
      Row& known = rows_[row.topic];
      if (row.n >= known.n) known = std::move(row);
    }
    cursor = some->cursor;
  } while (!cursor.empty());
  return ok_status();
}

Status Loader::read_log(Log& log, std::uint64_t until) {
  while (entries_.empty() || entries_.back().n < until) {
    Result<std::vector<Entry>> some = log.read(entries_.empty() ? 0 : entries_.back().n, kEntriesAtOnce);
    if (!some) return some.error();
    if (some->empty()) break;
    for (Entry& entry : *some) {
      const Entry* const before = entries_.empty() ? nullptr : &entries_.back();
      if (before != nullptr && entry.n <= before->n) continue;  // it came twice
      const bool follows = before == nullptr || (entry.n == before->n + 1 && entry.previous == before->nonce);
      if (!follows) return hole("before entry " + std::to_string(entry.n));
      entries_.push_back(std::move(entry));
    }
  }
  // A log in which nothing came for long is trimmed to nothing.
  const std::uint64_t last = entries_.empty() ? table_.n : entries_.back().n;
  return last >= until ? ok_status() : Status(hole("before entry " + std::to_string(until)));
}

bool Loader::joins_up(const Position& table) const {
  if (entries_.empty()) return true;
  const Entry& first = entries_.front();
  if (first.n > table.n + 1) return false;
  if (first.n == table.n + 1) return first.previous == table.chain;
  return table.n <= entries_.back().n && entries_[table.n - first.n].nonce == table.chain;
}

void Loader::find_epochs(const Position& table) {
  const bool starts_at_table = !entries_.empty() && entries_.front().n == table.n + 1;
  first_epoch_ = starts_at_table || entries_.empty() ? table.epoch : entries_.front().epoch;
  const std::string* epoch = &first_epoch_;
  for (const Entry& entry : entries_) {
    if (entry.epoch == *epoch) continue;
    first_epoch_ = *epoch;
    epoch_begins_ = entry.n;
    epoch = &entry.epoch;
  }
}

void Loader::gather_rings() {
  for (const Entry& entry : entries_) {
    const Result<std::vector<Record>> records = read_records(entry.records);
    if (!records) continue;
    for (const Record& record : *records) {
      const auto row = rows_.find(std::string(record.topic));
      const bool covered = row != rows_.end() && entry.n <= row->second.n && entry.n > row->second.cut;
      if (record.kind != RecordKind::kUpdate || !covered) continue;
      Ring& ring = rings_[row->first];
      ring.events.push_back({0, entry.ts, std::string(record.data)});
      if (epoch_begins_ != 0 && entry.n >= epoch_begins_) ++ring.in_epoch;
    }
  }
}

AdoptedTopic Loader::adopted(const Row& row) {
  Ring& ring = rings_[row.topic];
  if (ring.events.size() > row.seq) ring = {};  // it cannot be of this row
  std::uint64_t seq = row.seq - ring.events.size();
  for (StoredEvent& event : ring.events) event.seq = ++seq;
  AdoptedTopic topic;
  topic.topic = {row.topic, row.seq, row.ts, row.status, row.image, row.delivery};
  if (epoch_begins_ != 0 && row.n >= epoch_begins_)
    topic.next_epoch_began = row.cut >= epoch_begins_ ? 0 : row.seq - ring.in_epoch;
  topic.ring = std::move(ring.events);
  return topic;
}

void Loader::apply(Hub& hub, Follower& follower) {
  gather_rings();
  hub.set_epoch(first_epoch_);
  Follower::Covered covered;
  std::unordered_map<std::string, std::uint64_t> cuts;
  for (const auto& [topic, row] : rows_) {
    covered.emplace(topic, row.n);
    if (row.cut > 0) cuts.emplace(topic, row.cut);
    static_cast<void>(hub.adopt(adopted(row)));
  }
  follower.start_at(table_, std::move(cuts));
  for (const Entry& entry : entries_) {
    if (entry.n == epoch_begins_) hub.set_epoch(entry.epoch);
    follower.apply(entry, covered);
    follower.move_to(entry);
  }
  *this = {};
}

}  // namespace tickwire::cluster
