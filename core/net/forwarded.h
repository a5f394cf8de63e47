// find_client: who sent a request, as the proxies in front of the server say in X-Forwarded-For or Forwarded
// (RFC 7239).
//
// Each proxy adds at the right whom it got the request from. So the list is read from the right, from the
// peer on, for as long as the hop that names the next one is trusted: the first that is not trusted is the
// client, and what stands left of it is anybody's invention and is not looked at. Where a proxy hides its
// client (`unknown`, `_name`, an element without `for`), that proxy is the client. A hop that cannot be read
// is refused: a proxy that is trusted writes none. Pure; any thread.
#pragma once

#include <variant>

#include "net/client_address.h"
#include "net/http_message.h"
#include "net/proxy_rules.h"
#include "net/request_head.h"

namespace tickwire {

// `peer`: who is at the other end of the connection; returned as it is where it is not trusted, or names
// nobody.
std::variant<ClientAddress, Refusal> find_client(const RequestHead& head, const ClientAddress& peer,
                                                 const ProxyRules& rules);

}  // namespace tickwire
