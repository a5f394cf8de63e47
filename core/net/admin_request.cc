#include "net/admin_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "access/unique_json.h"
#include "net/posted_body.h"

namespace tickwire {
namespace {

using Fields = AdminAddress::Fields;

Error bad_body(std::string message, std::string field = "") {
  return {ErrorCode::kBadMessage, std::move(message), std::move(field)};
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

constexpr std::array kAddresses{
    AdminAddress{"/v1/revoke", {"subject", "session"}, &aimed<Revoke>},
    AdminAddress{"/v1/disconnect", {"subject", "session"}, &aimed<Disconnect>},
    AdminAddress{
        "/v1/log_level", {"level"}, [](Fields& fields) { return named<SetLogLevel>(fields, "level"); }},
    AdminAddress{"/v1/drain", {}, [](Fields& /*none*/) { return Result<AdminAction>(AdminAction(Drain{})); }},
    AdminAddress{"/v1/restart_plugin",
                 {"plugin"},
                 [](Fields& fields) { return named<RestartPlugin>(fields, "plugin"); }},
};

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
          fmt::format("the body has a member that is not known; {} takes {}", address.path,
                      address.fields[0].empty()
                          ? "none"
                          : fmt::format("{}{}{}", address.fields[0], address.fields[1].empty() ? "" : " or ",
                                        address.fields[1])));
    }
    if (!value.is_string()) return bad_body(name + ": must be a text", name);
    fields[name] = value.get<std::string>();
  }
  return address.make(fields);
}

}  // namespace tickwire
