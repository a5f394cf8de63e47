// Disk: what the store's file would hold: the batches that were committed, and whether the last run ended
// cleanly. A batch is written whole, or fails and is tried again, or is lost with the process, as in
// store/store.h.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "hub/hub.h"

namespace tickwire::sim {

class Disk {
 public:
  struct Row {
    std::uint64_t seq = 0;
    std::int64_t ts = 0;
    TopicStatus status = TopicStatus::kLive;
    std::string image;
    std::optional<Delivery> declared;
    std::map<std::uint64_t, StoredEvent> events;
  };

  void commit(const std::vector<Dirty>& batch) {
    for (const Dirty& topic : batch) {
      Row& row = rows_[topic.last->topic().name];
      row.seq = topic.last->seq();
      row.ts = topic.last->ts();
      row.status = topic.last->status();
      row.image = topic.last->image();
      row.declared = topic.declared;
      for (const UpdatePtr& kept : topic.events) {
        row.events[kept->seq()] = {kept->seq(), kept->ts(), std::string(kept->data())};
      }
      row.events.erase(row.events.begin(), row.events.lower_bound(topic.first_kept));
    }
  }

  void restore(Hub& hub) const {
    for (const auto& [topic, row] : rows_) {
      static_cast<void>(hub.restore({topic, row.seq, row.ts, row.status, row.image, row.declared}));
      std::vector<StoredEvent> events;
      for (const auto& [seq, event] : row.events) events.push_back(event);
      hub.restore_ring(topic, std::move(events));
    }
  }

  [[nodiscard]] const std::map<std::string, Row>& rows() const { return rows_; }

 private:
  std::map<std::string, Row> rows_;
};

}  // namespace tickwire::sim
