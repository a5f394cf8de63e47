#include "net/upgrade.h"

#include <fmt/format.h>

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

bool origin_allowed(const std::optional<std::string>& origin, const std::vector<std::string>& origins) {
  if (!origin) return true;  // no browser; Origin protects only those
  return std::ranges::any_of(origins, [&origin](const std::string& allowed) {
    return allowed == "*" || equals_ignoring_case(allowed, *origin);
  });
}

// The client's first that we speak; empty: none.
std::string first_spoken(std::string_view subprotocols) {
  while (!subprotocols.empty()) {
    const std::string_view item = subprotocols.substr(0, subprotocols.find(','));
    if (format_of(trimmed(item))) return std::string(trimmed(item));
    subprotocols.remove_prefix(std::min(item.size() + 1, subprotocols.size()));
  }
  return {};
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
  if (!list_holds(request.connection, "upgrade", Case::kIgnored))
    return bad("Connection", "must hold upgrade");
  if (request.websocket_version != "13") return bad("Sec-WebSocket-Version", "must be 13");
  if (!is_key(request.key)) return bad("Sec-WebSocket-Key", "must be 16 bytes in base64");
  if (!request.subprotocols.empty() && first_spoken(request.subprotocols).empty()) {
    return bad("Sec-WebSocket-Protocol",
               "tickwire.v1.json, tickwire.v1.msgpack and tickwire.v1.cbor are spoken here");
  }
  if (!origin_allowed(request.origin, origins)) {
    return refuse(403, ErrorCode::kDenied, "Origin", *request.origin + " is not in server.origins");
  }
  return std::nullopt;
}

UpgradeRequest upgrade_request(const RequestHead& head) {
  UpgradeRequest request;
  if (head.method == "GET") request.path = head.path;
  request.version = head.http_1_1 ? "HTTP/1.1" : "HTTP/1.0";
  request.host = head.header("host");
  request.upgrade = head.header("upgrade");
  request.connection = head.header("connection");
  request.key = head.header("sec-websocket-key");
  request.websocket_version = head.header("sec-websocket-version");
  request.subprotocols = head.header("sec-websocket-protocol");
  request.origin = head.find_header("origin");
  request.extensions = head.header("sec-websocket-extensions");
  return request;
}

Agreement agree(const UpgradeRequest& request) {
  Agreement agreement;
  agreement.subprotocol = first_spoken(request.subprotocols);
  agreement.format = format_of(agreement.subprotocol).value_or(Format::kJson);
  agreement.deflate = agree_on_deflate(request.extensions);
  return agreement;
}

std::string handshake_head(const UpgradeRequest& request, const Agreement& agreement) {
  std::string head = fmt::format(
      "GET {} HTTP/1.1\r\nHost: tickwire\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {}\r\n",
      kUpgradePath, request.key);
  if (!agreement.subprotocol.empty())
    head += fmt::format("Sec-WebSocket-Protocol: {}\r\n", agreement.subprotocol);
  if (agreement.deflate.accepted) {
    head += fmt::format("Sec-WebSocket-Extensions: {}\r\n", agreement.deflate.response());
  }
  return head += "\r\n";
}

}  // namespace tickwire
