#include "net/upgrade.h"

#include <algorithm>
#include <cstddef>

#include "net/header_text.h"
#include "protocol/format.h"

namespace tickwire {
namespace {

Refusal refuse(int status, ErrorCode code, std::string field, std::string message) {
  return {status, {code, field.empty() ? std::move(message) : field + ": " + message, std::move(field)}};
}

Refusal bad(std::string field, std::string message) {
  return refuse(400, ErrorCode::kBadMessage, std::move(field), std::move(message));
}

// The base64 text of 16 bytes: 22 digits of which the last has four bits to spare, and "==".
bool is_key(std::string_view key) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  constexpr std::string_view kLast = "AQgw";
  return key.size() == 24 && key.substr(0, 22).find_first_not_of(kDigits) == std::string_view::npos &&
         kLast.find(key[21]) != std::string_view::npos && key.substr(22) == "==";
}

bool origin_allowed(std::string_view origin, const std::vector<std::string>& origins) {
  if (origin.empty()) return true;  // no browser; Origin protects only those
  return std::ranges::any_of(origins, [origin](const std::string& allowed) {
    return allowed == "*" || equals_ignoring_case(allowed, origin);
  });
}

bool speaks_one_of(std::string_view subprotocols) {
  return std::ranges::any_of(kSubprotocols, [subprotocols](std::string_view ours) {
    return list_holds(subprotocols, ours, Case::kExact);
  });
}

}  // namespace

std::optional<Refusal> check_upgrade(const UpgradeRequest& request, const std::vector<std::string>& origins) {
  if (!equals_ignoring_case(request.upgrade, "websocket")) return bad("Upgrade", "only websocket is spoken");
  if (request.path.empty()) return refuse(405, ErrorCode::kUnknownCommand, "", "an upgrade is a GET");
  if (request.path != kUpgradePath) {
    return refuse(404, ErrorCode::kUnknownCommand, "", "no WebSocket there; connect to /ws");
  }
  if (request.version != "HTTP/1.1") return bad("", "an upgrade is HTTP/1.1");
  if (request.host.empty()) return bad("Host", "is missing");
  if (request.connection.size() > kHeaderListBytesMax) return bad("Connection", "is over 120 bytes");
  if (!list_holds(request.connection, "upgrade", Case::kIgnored))
    return bad("Connection", "must hold upgrade");
  if (request.websocket_version != "13") return bad("Sec-WebSocket-Version", "must be 13");
  if (!is_key(request.key)) return bad("Sec-WebSocket-Key", "must be 16 bytes in base64");
  if (request.subprotocols.size() > kHeaderListBytesMax) {
    return bad("Sec-WebSocket-Protocol", "is over 120 bytes");
  }
  if (!request.subprotocols.empty() && !speaks_one_of(request.subprotocols)) {
    return bad("Sec-WebSocket-Protocol",
               "tickwire.v1.json, tickwire.v1.msgpack and tickwire.v1.cbor are spoken here");
  }
  if (request.extensions.size() > kExtensionsBytesMax) {
    return bad("Sec-WebSocket-Extensions", "is over 250 bytes");
  }
  if (!origin_allowed(request.origin, origins)) {
    return refuse(403, ErrorCode::kDenied, "Origin", request.origin + " is not in server.origins");
  }
  return std::nullopt;
}

}  // namespace tickwire
