#include "protocol/encode.h"

#include <array>

#include "protocol/codes.h"

namespace tickwire {
namespace {

std::string number(std::uint64_t value) {
  return std::to_string(value);
}
std::string number(std::int64_t value) {
  return std::to_string(value);
}

// Begins a message; `id` follows the type when there is one.
std::string begin(std::string_view type, std::string_view id = {}) {
  std::string text = R"({"type":")";
  text.append(type).append("\"");
  if (!id.empty()) text.append(",\"id\":").append(id);
  return text;
}

std::string topic_message(std::string_view type, const TopicMessage& message, bool with_status) {
  std::string text = begin(type);
  text.append(",\"topic\":\"").append(message.topic).append("\",\"seq\":").append(number(message.seq));
  text.append(",\"ts\":").append(number(message.ts));
  if (message.delivery == Delivery::kEvent) text.append(",\"delivery\":\"event\"");
  if (with_status) {
    text.append(",\"status\":\"").append(name_of(message.status)).append("\"");
    append_halt(text, message.halt);
  }
  constexpr std::string_view kData = ",\"data\":";
  const bool has_data = !message.data.empty();
  std::string out;
  out.reserve(text.size() + (has_data ? kData.size() + message.data.size() : 0) + 1);
  out.append(text);
  if (has_data) out.append(kData).append(message.data);
  out += '}';
  return out;
}

}  // namespace

void append_halt(std::string& text, const Halt* halt) {
  if (halt == nullptr) return;
  text.append(",\"reason\":").append(quote_json(halt->reason));
  if (halt->until_ms > 0) text.append(",\"until\":").append(number(halt->until_ms));
}

std::string encode_update(const TopicMessage& message) {
  return topic_message("update", message, false);
}
std::string encode_snapshot(const TopicMessage& message) {
  return topic_message("snapshot", message, true);
}
std::string encode_status(const TopicMessage& message) {
  TopicMessage without_data = message;
  without_data.data = {};
  return topic_message("status", without_data, true);
}

std::string encode_welcome(std::string_view session, std::string_view epoch, int heartbeat_s,
                           std::string_view server, std::int64_t ts) {
  std::string text = begin("welcome");
  text.append(",\"session\":").append(quote_json(session)).append(",\"epoch\":").append(quote_json(epoch));
  text.append(",\"heartbeat_s\":").append(std::to_string(heartbeat_s));
  text.append(",\"server\":").append(quote_json(server)).append(",\"ts\":").append(number(ts));
  return text + "}";
}

std::string encode_epoch(std::string_view epoch, std::int64_t ts) {
  return begin("epoch")
             .append(",\"epoch\":")
             .append(quote_json(epoch))
             .append(",\"ts\":")
             .append(number(ts)) +
         "}";
}

std::string encode_auth_ack(std::string_view id, bool judged) {
  return begin("ack", id) + (judged ? "}" : ",\"judged\":false}");
}

std::string encode_pong(std::string_view id, std::int64_t ts) {
  return begin("pong", id).append(",\"ts\":").append(number(ts)) + "}";
}

void append_error_fields(std::string& text, const Error& error) {
  const CodeRow& row = code_row(error.code);
  text.append(R"("code":")").append(row.name).append(R"(","message":)").append(quote_json(error.message));
  if (!error.field.empty()) text.append(",\"field\":").append(quote_json(error.field));
  text.append(row.retryable ? ",\"retryable\":true" : ",\"retryable\":false");
  if (error.retry_after_ms > 0) text.append(",\"retry_after_ms\":").append(number(error.retry_after_ms));
}

std::string encode_error(std::string_view id, const Error& error, std::string_view topic) {
  std::string text = begin("error", id);
  if (!topic.empty()) text.append(",\"topic\":").append(quote_json(topic));
  text += ',';
  append_error_fields(text, error);
  return text + "}";
}

std::string encode_gap(std::string_view topic, std::uint64_t from, std::uint64_t to) {
  std::string text = begin("gap").append(",\"topic\":\"").append(topic);
  return text.append("\",\"from\":").append(number(from)).append(",\"to\":").append(number(to)) + "}";
}

std::string encode_heartbeat(std::int64_t ts) {
  return begin("heartbeat").append(",\"ts\":").append(number(ts)) + "}";
}

std::string encode_close(CloseCode code, std::string_view reason) {
  std::string text = begin("close").append(",\"code\":").append(std::to_string(static_cast<unsigned>(code)));
  return text.append(",\"reason\":").append(quote_json(reason)) + "}";
}

std::string encode_drain(int reconnect_after_ms) {
  return begin("drain").append(",\"reconnect_after_ms\":").append(std::to_string(reconnect_after_ms)) + "}";
}

}  // namespace tickwire
