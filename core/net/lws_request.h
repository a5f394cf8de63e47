// Reads the request that lws has parsed on a connection into our own values. Only in those callbacks in which
// lws has its headers: a refused or finished request has none, and reads as empty. Loop thread.
#pragma once

#include <string>

#include "net/http_message.h"
#include "net/upgrade.h"
#include "protocol/format.h"

struct lws;

namespace tickwire {

HttpRequest read_http_request(lws* wsi);
UpgradeRequest read_upgrade_request(lws* wsi);
// Sec-WebSocket-Extensions.
std::string read_extensions(lws* wsi);
// ?token= of the URL; empty: none.
std::string read_token(lws* wsi);
// Of an open WebSocket.
Format agreed_format(lws* wsi);

}  // namespace tickwire
