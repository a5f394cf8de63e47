#include "protocol/ack.h"

#include "base/work.h"
#include "protocol/codes.h"

namespace tickwire {
namespace {

// A byte takes at most 5 ns: where it must be escaped.
constexpr std::size_t kBytesAStep = 64;
// One that is only copied, some 0.2 ns. An image that has to be read for a binary format takes more, but who
// answers get leaves those that are large to a worker.
constexpr std::size_t kCopiedBytesAStep = 1'024;

// Writes everything up to the value of the field `list`, which `more` fields follow.
void begin_ack(MessageWriter& writer, std::string_view id, std::string_view list, std::size_t more) {
  writer.begin_map((id.empty() ? 2U : 3U) + more);
  writer.key("type");
  writer.text("ack");
  if (!id.empty()) {
    writer.key("id");
    writer.json(id);
  }
  writer.key(list);
}

void write_error(MessageWriter& writer, const Error& error) {
  const CodeRow& row = code_row(error.code);
  writer.key("error");
  writer.begin_map(3U + (error.field.empty() ? 0U : 1U) + (error.retry_after_ms > 0 ? 1U : 0U));
  writer.key("code");
  writer.text(row.name);
  writer.key("message");
  writer.text(error.message);
  if (!error.field.empty()) {
    writer.key("field");
    writer.text(error.field);
  }
  writer.key("retryable");
  writer.flag(row.retryable);
  if (error.retry_after_ms > 0) {
    writer.key("retry_after_ms");
    writer.number(static_cast<std::uint64_t>(error.retry_after_ms));
  }
  writer.end_map();
}

}  // namespace

AckWriter::AckWriter(Format format, std::string_view id, std::size_t results) : writer_(format) {
  begin_ack(writer_, id, "results", 0);
  writer_.begin_array(results);
}

void AckWriter::add(const TopicResult& result) {
  const std::size_t before = writer_.size();
  writer_.begin_map(1U + (result.seq ? 1U : 0U) + (result.recovered ? 1U : 0U) + (result.missed ? 1U : 0U) +
                    (result.partial ? 1U : 0U) + (result.duplicate ? 1U : 0U) + (result.error ? 1U : 0U));
  writer_.key("topic");
  writer_.text(result.topic);
  if (result.seq) {
    writer_.key("seq");
    writer_.number(*result.seq);
  }
  if (result.recovered) {
    writer_.key("recovered");
    writer_.flag(*result.recovered);
  }
  if (result.missed) {
    writer_.key("missed");
    writer_.number(*result.missed);
  }
  if (result.partial) {
    writer_.key("partial");
    writer_.flag(true);
  }
  if (result.duplicate) {
    writer_.key("duplicate");
    writer_.flag(true);
  }
  if (result.error) write_error(writer_, *result.error);
  writer_.end_map();
  ++count_;
  Work::count(1 + (writer_.size() - before) / kBytesAStep);
}

std::string AckWriter::finish() {
  writer_.end_array();
  writer_.end_map();
  return writer_.take();
}

// --- get ------------------------------------------------------------------------------------------------

SnapshotsWriter::SnapshotsWriter(Format format, std::string_view id, std::string_view epoch,
                                 std::size_t results, std::string_view next)
    : writer_(format), next_(next), body_(false) {
  begin_ack(writer_, id, "epoch", next.empty() ? 1 : 2);
  writer_.text(epoch);
  writer_.key("results");
  writer_.begin_array(results);
}

SnapshotsWriter::SnapshotsWriter(Body /*body*/, std::string_view epoch, std::size_t results,
                                 std::string_view next)
    : writer_(Format::kJson), next_(next), body_(true) {
  writer_.begin_map(3);
  writer_.key("epoch");
  writer_.text(epoch);
  writer_.key("results");
  writer_.begin_array(results);
}

void SnapshotsWriter::add(const TopicMessage& state) {
  const std::size_t before = writer_.size();
  const bool event = state.delivery == Delivery::kEvent;
  const bool limited = state.halt != nullptr && state.halt->until_ms > 0;
  writer_.begin_map(5U + (event ? 1 : 0) + (state.halt != nullptr ? 1 : 0) + (limited ? 1 : 0));
  writer_.key("topic");
  writer_.text(state.topic);
  writer_.key("seq");
  writer_.number(state.seq);
  writer_.key("ts");
  writer_.number(static_cast<std::uint64_t>(state.ts));
  if (event) {
    writer_.key("delivery");
    writer_.text("event");
  }
  writer_.key("status");
  writer_.text(name_of(state.status));
  if (state.halt != nullptr) {
    writer_.key("reason");
    writer_.text(state.halt->reason);
  }
  if (limited) {
    writer_.key("until");
    writer_.number(static_cast<std::uint64_t>(state.halt->until_ms));
  }
  writer_.key("data");
  writer_.json(state.data);
  writer_.end_map();
  ++count_;
  Work::count(1 + (writer_.size() - before) / kCopiedBytesAStep);
}

void SnapshotsWriter::add(std::string_view topic, const Error& error) {
  const std::size_t before = writer_.size();
  writer_.begin_map(2);
  writer_.key("topic");
  writer_.text(topic);
  write_error(writer_, error);
  writer_.end_map();
  ++count_;
  Work::count(1 + (writer_.size() - before) / kBytesAStep);
}

std::string SnapshotsWriter::finish() {
  writer_.end_array();
  if (!next_.empty()) {
    writer_.key("next");
    writer_.text(next_);
  } else if (body_) {
    writer_.key("next");
    writer_.json("null");
  }
  writer_.end_map();
  return writer_.take();
}

std::string encode_ack(Format format, std::string_view id, const std::vector<TopicResult>& results) {
  AckWriter ack(format, id, results.size());
  for (const TopicResult& result : results) ack.add(result);
  return ack.finish();
}

std::string encode_list(Format format, std::string_view id, const std::vector<std::string_view>& topics,
                        std::string_view next) {
  MessageWriter writer(format);
  begin_ack(writer, id, "topics", next.empty() ? 0 : 1);
  writer.begin_array(topics.size());
  for (const std::string_view topic : topics) writer.text(topic);
  writer.end_array();
  if (!next.empty()) {
    writer.key("next");
    writer.text(next);
  }
  writer.end_map();
  return writer.take();
}

}  // namespace tickwire
