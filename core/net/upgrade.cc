#include "net/upgrade.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
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

// RFC 6455 section 4.2.2, step 5.4.
std::string accept_key(std::string_view key) {
  const std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned digest_bytes = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &digest_bytes, EVP_sha1(), nullptr);
  std::array<unsigned char, std::size_t{2} * EVP_MAX_MD_SIZE> encoded{};
  const int size = EVP_EncodeBlock(encoded.data(), digest.data(), static_cast<int>(digest_bytes));
  return {encoded.begin(), encoded.begin() + size};
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

std::optional<Refusal> check_upgrade(const UpgradeRequest& request, bool echo) {
  if (!list_holds(request.upgrade, "websocket", Case::kIgnored))
    return bad("Upgrade", "only websocket is spoken");
  if (request.path.empty()) return refuse(405, ErrorCode::kUnknownCommand, "", "an upgrade is a GET");
  const bool echoes = echo && request.path == kEchoPath;
  if (request.path != kUpgradePath && !echoes) {
    return refuse(404, ErrorCode::kUnknownCommand, "", "no WebSocket there; connect to /ws");
  }
  if (request.version != "HTTP/1.1") return bad("", "an upgrade is HTTP/1.1");
  if (request.host.empty()) return bad("Host", "is missing");
  if (!list_holds(request.connection, "upgrade", Case::kIgnored))
    return bad("Connection", "must hold upgrade");
  if (request.websocket_version.empty()) return bad("Sec-WebSocket-Version", "is missing");
  if (request.websocket_version != "13") {
    return refuse(426, ErrorCode::kBadMessage, "Sec-WebSocket-Version", "must be 13");
  }
  if (!is_key(request.key)) return bad("Sec-WebSocket-Key", "must be 16 bytes in base64");
  if (!echoes && !request.subprotocols.empty() && first_spoken(request.subprotocols).empty()) {
    return bad("Sec-WebSocket-Protocol",
               "tickwire.v1.json, tickwire.v1.msgpack and tickwire.v1.cbor are spoken here");
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
  request.extensions = head.header("sec-websocket-extensions");
  return request;
}

Agreement agree(const UpgradeRequest& request) {
  Agreement agreement;
  agreement.deflate = agree_on_deflate(request.extensions);
  agreement.echo = request.path == kEchoPath;
  if (agreement.echo) return agreement;
  agreement.subprotocol = first_spoken(request.subprotocols);
  agreement.format = format_of(agreement.subprotocol).value_or(Format::kJson);
  return agreement;
}

std::string upgrade_answer(const UpgradeRequest& request, const Agreement& agreement) {
  std::string answer = fmt::format(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: {}\r\n",
      accept_key(request.key));
  if (!agreement.subprotocol.empty())
    answer += fmt::format("Sec-WebSocket-Protocol: {}\r\n", agreement.subprotocol);
  if (agreement.deflate.accepted) {
    answer += fmt::format("Sec-WebSocket-Extensions: {}\r\n", agreement.deflate.response());
  }
  return answer += "\r\n";
}

}  // namespace tickwire
