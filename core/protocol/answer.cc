#include "protocol/answer.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "protocol/codes.h"

namespace tickwire {
namespace {

using nlohmann::json;

constexpr std::string_view kTypeField = R"({"type":")";

ErrorCode code_named(std::string_view name) {
  const auto* const row = std::ranges::find(kCodeRows, name, &CodeRow::name);
  return row == kCodeRows.end() ? ErrorCode::kInternal : row->code;
}

Error error_in(const json& fields) {
  return {.code = code_named(fields.value("code", "")),
          .message = fields.value("message", ""),
          .field = fields.value("field", ""),
          .retry_after_ms = fields.value("retry_after_ms", std::int64_t{0})};
}

}  // namespace

std::string_view message_type(std::string_view payload) {
  if (!payload.starts_with(kTypeField)) return {};
  payload.remove_prefix(kTypeField.size());
  return payload.substr(0, payload.find('"'));
}

std::optional<Error> read_error(std::string_view payload) {
  if (message_type(payload) != "error") return std::nullopt;
  return error_in(json::parse(payload));
}

std::optional<StatusOf> read_status(std::string_view payload) {
  if (message_type(payload) != "status") return std::nullopt;
  const json message = json::parse(payload);
  const std::string name = message.value("status", "");
  StatusOf told{message.value("topic", ""), message.value("seq", std::uint64_t{0}), TopicStatus::kLive};
  for (const TopicStatus status : {TopicStatus::kStale, TopicStatus::kHalted, TopicStatus::kClosed}) {
    if (name == name_of(status)) told.status = status;
  }
  return told;
}

std::optional<OneResult> read_one_result(std::string_view payload) {
  const std::string_view type = message_type(payload);
  if (type != "ack" && type != "error") return std::nullopt;
  const json message = json::parse(payload);
  OneResult result;
  if (const auto id = message.find("id"); id != message.end() && id->is_number_unsigned()) result.id = *id;
  if (type == "error") {
    result.error = error_in(message);
    return result;
  }
  const auto results = message.find("results");
  if (results == message.end() || results->size() != 1) return result;
  const json& only = results->front();
  result.topic = only.value("topic", "");
  result.seq = only.value("seq", std::uint64_t{0});
  result.duplicate = only.value("duplicate", false);
  if (const auto error = only.find("error"); error != only.end()) result.error = error_in(*error);
  return result;
}

}  // namespace tickwire
