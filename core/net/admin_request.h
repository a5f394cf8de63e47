// The POSTs of the admin listener, each an AdminAction: POST /v1/revoke, /v1/disconnect, /v1/log_level,
// /v1/drain, /v1/restart_plugin, /v1/halt, /v1/end_halt. Pure; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "net/admin_action.h"
#include "net/http_message.h"
#include "net/request_head.h"

namespace tickwire {

// The longest subject, each byte of it escaped, and some more.
inline constexpr std::size_t kAdminBodyBytesMax = std::size_t{64} << 10U;

// One of them: its path, and what its body may name.
struct AdminAddress {
  using Fields = std::map<std::string, std::string, std::less<>>;

  std::string_view path;
  std::array<std::string_view, 3> fields;  // "": it has fewer
  Result<AdminAction> (*make)(Fields& fields);
};
// Null: no action is at this path. Constant.
const AdminAddress* find_action(std::string_view path);

// What is wrong with the head of the request; nothing: its body is to be read, which has a length. A page of
// another site cannot send this content type without being asked first (CORS).
std::optional<HttpResponse> check_action(const RequestHead& head);

// The body is a JSON object of texts (a time is a number), each of them named in `address`. kBadMessage and
// kBadTopic name the field.
Result<AdminAction> read_action(const AdminAddress& address, std::string_view body);

}  // namespace tickwire
