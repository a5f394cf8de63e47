// POST /v1/revoke at the admin listener: whose sessions and tokens are taken back. Pure; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "fanout/revoke_target.h"
#include "net/http_message.h"
#include "net/request_head.h"

namespace tickwire {

inline constexpr std::string_view kRevokePath = "/v1/revoke";
// The longest subject, each byte of it escaped, and some more.
inline constexpr std::size_t kRevokeBodyBytesMax = std::size_t{64} << 10U;

// What is wrong with the head of the request; nothing: its body is to be read, which has a length. A page of
// another site cannot send this content type without being asked first (CORS).
std::optional<HttpResponse> check_revoke(const RequestHead& head);

// {"subject": "..."} or {"session": "..."}, and nothing else. kBadMessage names the field.
Result<RevokeTarget> read_revoke(std::string_view body);

}  // namespace tickwire
