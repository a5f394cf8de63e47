// check_upgrade: whether a request may become a WebSocket. libwebsockets checks next to nothing of it, so all
// of RFC 6455 section 4.2.1 stands here, with Origin and path.
//
// Pure; any thread. A header's text is as received, trimmed; empty: absent; repeated: joined with a comma.
// A list of subprotocols of which we speak none is refused: answering without one would only leave the client
// to fail the connection, and not say why. Of those that we speak lws takes the first, so the client's
// order decides.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace tickwire {

inline constexpr std::string_view kUpgradePath = "/ws";
inline constexpr std::size_t kExtensionsBytesMax = 250;  // lws breaks the handshake off at 255
inline constexpr std::size_t kHeaderListBytesMax =
    120;  // Connection and Sec-WebSocket-Protocol: lws' buffer is 128

struct UpgradeRequest {
  std::string path;     // empty when the method is not GET
  std::string version;  // "HTTP/1.1"
  std::string host;
  std::string upgrade;
  std::string connection;
  std::string key;
  std::string websocket_version;
  std::string subprotocols;
  std::string origin;
  std::string extensions;
};

struct Refusal {
  int status = 400;
  Error error;
};

// Nothing: it may.
std::optional<Refusal> check_upgrade(const UpgradeRequest& request, const std::vector<std::string>& origins);

}  // namespace tickwire
