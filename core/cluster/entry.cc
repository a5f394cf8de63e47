#include "cluster/entry.h"

#include <optional>

#include "model/topic_name.h"

namespace tickwire::cluster {
namespace {

constexpr char kVersion = 1;

void append_number(std::string& out, std::uint64_t number) {
  for (; number >= 0x80U; number >>= 7U) out += static_cast<char>((number & 0x7FU) | 0x80U);
  out += static_cast<char>(number);
}

void append_text(std::string& out, std::string_view text) {
  append_number(out, text.size());
  out.append(text);
}

// Takes from the front of the rest; what is not there is nothing.
class Taker {
 public:
  explicit Taker(std::string_view rest) : rest_(rest) {}
  [[nodiscard]] bool empty() const { return rest_.empty(); }

  std::optional<std::uint8_t> byte() {
    if (rest_.empty()) return std::nullopt;
    const auto taken = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return taken;
  }
  std::optional<std::uint64_t> number() {
    std::uint64_t number = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const auto next = byte();
      if (!next) return std::nullopt;
      const std::uint64_t bits = *next & 0x7FU;
      if ((bits << shift) >> shift != bits) return std::nullopt;
      number |= bits << shift;
      if ((*next & 0x80U) == 0) return number;
    }
    return std::nullopt;
  }
  std::optional<std::string_view> text() {
    const auto size = number();
    if (!size || *size > rest_.size()) return std::nullopt;
    const std::string_view taken = rest_.substr(0, *size);
    rest_.remove_prefix(*size);
    return taken;
  }

 private:
  std::string_view rest_;
};

bool read_rest(Taker& taker, Record& record) {
  if (record.kind == RecordKind::kFeedDown) return record.topic.empty();
  if (!check_topic(record.topic)) return false;
  const auto how = taker.byte();
  if (!how) return false;
  if (record.kind == RecordKind::kStatus) {
    record.status = static_cast<TopicStatus>(*how);
    return *how < kTopicStatusNames.size();
  }
  const auto data = taker.text();
  if (!data || *how >= kDeliveryNames.size()) return false;
  record.delivery = static_cast<Delivery>(*how);
  record.data = *data;
  return true;
}

std::optional<Record> read_record(Taker& taker) {
  const auto kind = taker.byte();
  const auto feed = taker.number();
  const auto topic = taker.text();
  if (!kind || !feed || !topic || *feed > UINT32_MAX) return std::nullopt;
  Record record;
  record.kind = static_cast<RecordKind>(*kind);
  const bool known = record.kind == RecordKind::kUpdate || record.kind == RecordKind::kStatus ||
                     record.kind == RecordKind::kFeedDown;
  record.feed = static_cast<FeedId>(*feed);
  record.topic = *topic;
  if (!known || !read_rest(taker, record)) return std::nullopt;
  return record;
}

Error not_ours(const std::string& what) {
  return {ErrorCode::kBadMessage, "entry: " + what + "; another version of tickwire may have written it",
          "records"};
}

}  // namespace

void append_record(std::string& records, const Record& record) {
  if (records.empty()) records += kVersion;
  records += static_cast<char>(record.kind);
  append_number(records, record.feed);
  append_text(records, record.topic);
  if (record.kind == RecordKind::kStatus) records += static_cast<char>(record.status);
  if (record.kind != RecordKind::kUpdate) return;
  records += static_cast<char>(record.delivery);
  append_text(records, record.data);
}

Result<std::vector<Record>> read_records(std::string_view records) {
  std::vector<Record> out;
  if (records.empty()) return out;
  if (records.size() > kEntryBytesMax) {
    return not_ours(std::to_string(records.size()) + " bytes, at most " + std::to_string(kEntryBytesMax) +
                    " are allowed");
  }
  Taker taker(records);
  if (taker.byte() != kVersion) return not_ours("its version is not " + std::to_string(kVersion));
  while (!taker.empty()) {
    const std::optional<Record> record = read_record(taker);
    if (!record) return not_ours("record " + std::to_string(out.size()) + " cannot be read");
    if (out.size() == kBatchRecordsMax)
      return not_ours("more than " + std::to_string(kBatchRecordsMax) + " records");
    out.push_back(*record);
  }
  return out;
}

}  // namespace tickwire::cluster
