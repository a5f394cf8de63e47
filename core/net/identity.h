// identify: what the request of a client, over HTTP or for a WebSocket, says of who it is: its token, and the
// headers and cookies that plugins may see. Nothing of this is ever logged.
//
// A browser sends cookies with whatever a page asks it to, also a page of somebody else. So cookies say who a
// client is only where the page is one that the configuration names (net/origin_rule.h). Pure; any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "net/http_message.h"
#include "net/request_head.h"
#include "session/client_info.h"

namespace tickwire {

// The token of an Authorization header, a part of it (RFC 6750, section 2.1). Empty: there is none.
std::string_view bearer_token(std::string_view authorization);

struct IdentityRules {
  std::string token_cookie;          // whose value is a token; empty: none is
  std::vector<std::string> headers;  // that plugins see; in lower case
  std::vector<std::string> cookies;  // that plugins see
};

struct Identity {
  std::string token;  // empty: it sent none. Its size and its encoding are not checked
  std::shared_ptr<const ClientRequest> request;  // null: it has none of what plugins see
};

// `by_name`: the request is of a page that is allowed by name, so its cookies count. The token is that of the
// header Authorization (Bearer), else the parameter `token`, else the cookie. Refused: a cookie that counts
// is there twice, so that two readers could take different ones.
std::variant<Identity, Refusal> identify(const RequestHead& head, const IdentityRules& rules, bool by_name);

}  // namespace tickwire
