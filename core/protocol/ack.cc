#include "protocol/ack.h"

#include "base/work.h"
#include "protocol/codes.h"

namespace tickwire {
namespace {

// A byte takes at most 5 ns: where it must be escaped.
constexpr std::size_t kBytesAStep = 64;

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

}  // namespace

AckWriter::AckWriter(Format format, std::string_view id, std::size_t results) : writer_(format) {
  begin_ack(writer_, id, "results", 0);
  writer_.begin_array(results);
}

void AckWriter::add(const TopicResult& result) {
  const std::size_t before = writer_.size();
  writer_.begin_map(1U + (result.seq ? 1U : 0U) + (result.recovered ? 1U : 0U) + (result.missed ? 1U : 0U) +
                    (result.error ? 1U : 0U));
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
  if (result.error) error(*result.error);
  writer_.end_map();
  ++count_;
  Work::count(1 + (writer_.size() - before) / kBytesAStep);
}

void AckWriter::error(const Error& error) {
  const CodeRow& row = code_row(error.code);
  writer_.key("error");
  writer_.begin_map(error.field.empty() ? 3 : 4);
  writer_.key("code");
  writer_.text(row.name);
  writer_.key("message");
  writer_.text(error.message);
  if (!error.field.empty()) {
    writer_.key("field");
    writer_.text(error.field);
  }
  writer_.key("retryable");
  writer_.flag(row.retryable);
  writer_.end_map();
}

std::string AckWriter::finish() {
  writer_.end_array();
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
