#include "net/admin_request.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>

#include "access/unique_json.h"
#include "model/halt.h"
#include "model/topic_name.h"
#include "net/posted_body.h"

namespace tickwire {
namespace {

using Fields = AdminAddress::Fields;

Error bad_body(std::string message, std::string field = "") {
  return {ErrorCode::kBadMessage, std::move(message), std::move(field)};
}

constexpr std::string_view kUntil = "until";

Error bad_until() {
  return bad_body(
      "until: must be a time to come, in Unix milliseconds; without it the halt lasts until it is ended",
      std::string(kUntil));
}

template <typename Action>
Result<AdminAction> aimed(Fields& fields) {
  SessionTarget target{std::move(fields["subject"]), std::move(fields["session"])};
  if (const Status checked = check_target(target); !checked) return checked.error();
  return AdminAction(Action{std::move(target)});
}

template <typename Action>
Result<AdminAction> named(Fields& fields, const std::string& name) {
  std::string& value = fields[name];
  if (value.empty()) return bad_body(name + ": is required", name);
  return AdminAction(Action{std::move(value)});
}

Result<std::string> one_topic(Fields& fields) {
  std::string& topic = fields["topic"];
  if (topic.empty()) return bad_body("topic: is required", "topic");
  if (is_pattern(topic)) {
    return Error{
        ErrorCode::kBadTopic,
        "topic: " + shown_topic(topic) + " is a pattern, and a halt is of one topic: name each topic",
        "topic"};
  }
  if (Status valid = check_topic(topic); !valid) return valid.error();
  return std::move(topic);
}

Status check_reason(const std::string& reason) {
  if (reason.empty()) return bad_body("reason: is required; clients are shown it", "reason");
  if (reason.size() > kHaltReasonBytesMax) {
    return bad_body(fmt::format("reason: {} bytes, at most {} are allowed; say it shorter", reason.size(),
                                kHaltReasonBytesMax),
                    "reason");
  }
  const auto is_control = [](unsigned char byte) { return byte < 0x20 || byte == 0x7F; };
  if (std::ranges::none_of(reason, is_control)) return ok_status();
  return bad_body("reason: must be one line without control characters", "reason");
}

Result<AdminAction> read_halt(Fields& fields) {
  const Result<std::string> topic = one_topic(fields);
  if (!topic) return topic.error();
  const std::string& reason = fields["reason"];
  if (const Status said = check_reason(reason); !said) return said.error();
  std::int64_t until_ms = 0;
  if (const auto until = fields.find(kUntil); until != fields.end()) {
    const std::string& text = until->second;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), until_ms);
    if (error != std::errc() || until_ms <= 0) return bad_until();
  }
  return AdminAction(HaltTopic{*topic, reason, until_ms});
}

Result<AdminAction> read_end_halt(Fields& fields) {
  const Result<std::string> topic = one_topic(fields);
  if (!topic) return topic.error();
  return AdminAction(EndHalt{*topic});
}

constexpr std::array kAddresses{
    AdminAddress{"/v1/revoke", {"subject", "session"}, &aimed<Revoke>},
    AdminAddress{"/v1/disconnect", {"subject", "session"}, &aimed<Disconnect>},
    AdminAddress{
        "/v1/log_level", {"level"}, [](Fields& fields) { return named<SetLogLevel>(fields, "level"); }},
    AdminAddress{"/v1/drain", {}, [](Fields& /*none*/) { return Result<AdminAction>(AdminAction(Drain{})); }},
    AdminAddress{"/v1/restart_plugin",
                 {"plugin"},
                 [](Fields& fields) { return named<RestartPlugin>(fields, "plugin"); }},
    AdminAddress{"/v1/halt", {"topic", "reason", kUntil}, &read_halt},
    AdminAddress{"/v1/end_halt", {"topic"}, &read_end_halt},
};

std::string known(const AdminAddress& address) {
  const auto none = std::ranges::find(address.fields, std::string_view());
  if (none == address.fields.begin()) return "none";
  const bool one_of_two = none - address.fields.begin() == 2;
  return fmt::format("{}", fmt::join(address.fields.begin(), none, one_of_two ? " or " : ", "));
}

}  // namespace

const AdminAddress* find_action(std::string_view path) {
  const auto* const found = std::ranges::find(kAddresses, path, &AdminAddress::path);
  return found == kAddresses.end() ? nullptr : found;
}

std::optional<HttpResponse> check_action(const RequestHead& head) {
  static constexpr std::array<std::string_view, 1> kTypes{"application/json"};
  return check_posted(head, {"POST", kTypes, kAdminBodyBytesMax}).refusal;
}

Result<AdminAction> read_action(const AdminAddress& address, std::string_view body) {
  const Result<nlohmann::json> members = parse_unique_json(body, kAdminBodyBytesMax);
  if (!members) return bad_body("the body " + members.error().message);
  Fields fields;
  for (const auto& [name, value] : members->items()) {
    if (name.empty() || std::ranges::find(address.fields, name) == address.fields.end()) {
      return bad_body(
          fmt::format("the body has a member that is not known; {} takes {}", address.path, known(address)));
    }
    if (name == kUntil) {
      if (!value.is_number_integer()) return bad_until();
      fields[name] = value.dump();
      continue;
    }
    if (!value.is_string()) return bad_body(name + ": must be a text", name);
    fields[name] = value.get<std::string>();
  }
  return address.make(fields);
}

}  // namespace tickwire
