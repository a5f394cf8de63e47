// GET /v1/sessions as a request: who may see the sessions, and which of them he asks for. Pure; any thread.
//
// Without the token it is for clients on this machine, and not for pages in their browsers, nor for those
// whom a proxy here speaks for: these come from a loopback address, too, but by another name or with
// X-Forwarded-For.
#pragma once

#include <string_view>

#include "base/error.h"
#include "fanout/session_report.h"
#include "net/http_message.h"

namespace tickwire {

inline constexpr std::string_view kSessionsPath = "/v1/sessions";

// `admin_token`: empty: there is none. kDenied, kBadMessage.
Result<SessionsQuery> read_sessions_request(const HttpRequest& request, std::string_view admin_token);

}  // namespace tickwire
