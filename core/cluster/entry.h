// What an entry of the cluster's log carries: the records of one batch of one node, as bytes. Every node
// applies the same bytes, so what they say does not depend on a node's configuration: an update names its
// delivery, and its time is that of the entry.
//
//     version (1 byte), then for each record:
//     kind (1 byte), feed, topic and its size, then
//       u  delivery (1 byte), data and its size
//       s  status (1 byte)
//       f  nothing (and its topic is empty)
//
// Numbers are LEB128. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "hub/feed_id.h"
#include "model/json_object.h"
#include "model/topic_kind.h"

namespace tickwire::cluster {

// A batch is closed once it has so many records or bytes; a record that is larger has one for itself.
inline constexpr std::size_t kBatchRecordsMax = 1'000;
inline constexpr std::size_t kBatchBytesMax = std::size_t{256} << 10U;
// What is longer is no entry of ours: the largest batch has one record, with a payload of kPayloadBytesMax.
inline constexpr std::size_t kEntryBytesMax = kPayloadBytesMax + kBatchBytesMax;

enum class RecordKind : std::uint8_t { kUpdate = 'u', kStatus = 's', kFeedDown = 'f' };

// The views are of the entry's bytes.
struct Record {
  RecordKind kind = RecordKind::kUpdate;
  FeedId feed = 0;                          // of the node that wrote the entry
  std::string_view topic = {};              // empty: kFeedDown
  Delivery delivery = Delivery::kValue;     // kUpdate
  std::string_view data = {};               // kUpdate
  TopicStatus status = TopicStatus::kLive;  // kStatus
};

// Appends a record to the bytes of a batch, which begin with the first.
void append_record(std::string& records, const Record& record);
// The records of an entry; an empty entry has none. kBadMessage: they are not what append_record writes.
Result<std::vector<Record>> read_records(std::string_view records);

}  // namespace tickwire::cluster
