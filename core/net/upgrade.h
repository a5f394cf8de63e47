// The opening handshake: whether a request may become a WebSocket (RFC 6455 section 4.2.1, with its
// path), what is agreed on with its client, and the answer. Whether its page may is net/origin_rule.h's.
//
// Pure; any thread. A header's text is as received, trimmed; empty: absent; repeated: joined with a comma.
// A list of subprotocols of which we speak none is refused: answering without one would only leave the client
// to fail the connection, and not say why. Of those that we speak the client's first is taken.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "codec/deflate_offer.h"
#include "net/http_message.h"
#include "net/request_head.h"
#include "protocol/format.h"

namespace tickwire {

inline constexpr std::string_view kUpgradePath = "/ws";
inline constexpr std::string_view kEchoPath = "/echo";  // where server.echo is on

struct UpgradeRequest {
  std::string path;     // empty when the method is not GET
  std::string version;  // "HTTP/1.1"
  std::string host;
  std::string upgrade;
  std::string connection;
  std::string key;
  std::string websocket_version;
  std::string subprotocols;
  std::string extensions;
};

// Nothing: it may. `echo`: also at kEchoPath, where no subprotocol is spoken.
std::optional<Refusal> check_upgrade(const UpgradeRequest& request, bool echo = false);

UpgradeRequest upgrade_request(const RequestHead& head);

// What was agreed on with a client whose request passed check_upgrade.
struct Agreement {
  std::string subprotocol;  // empty: the client asked for none and speaks JSON
  Format format = Format::kJson;
  DeflateAgreement deflate;
  bool echo = false;
};
Agreement agree(const UpgradeRequest& request);

// The answer that makes the connection a WebSocket (RFC 6455 section 4.2.2).
std::string upgrade_answer(const UpgradeRequest& request, const Agreement& agreement);

}  // namespace tickwire
