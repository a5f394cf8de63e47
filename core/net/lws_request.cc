#include "net/lws_request.h"

#include <libwebsockets.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <utility>

#include "net/header_text.h"
#include "net/socket_address.h"

namespace tickwire {
namespace {

std::string header(lws* wsi, lws_token_indexes token) {
  const int size = lws_hdr_total_length(wsi, token);
  if (size <= 0) return {};
  std::string text(static_cast<std::size_t>(size) + 1, '\0');
  const int copied = lws_hdr_copy(wsi, text.data(), size + 1, token);
  text.resize(static_cast<std::size_t>(std::max(copied, 0)));
  return text;
}

using Query = std::vector<std::pair<std::string, std::string>>;

// lws has undone the percent signs and cut at '&'.
Query read_query(lws* wsi) {
  Query query;
  for (int i = 0;; ++i) {
    const int size = lws_hdr_fragment_length(wsi, WSI_TOKEN_HTTP_URI_ARGS, i);
    if (size <= 0) return query;
    std::string text(static_cast<std::size_t>(size) + 1, '\0');
    if (lws_hdr_copy_fragment(wsi, text.data(), size + 1, WSI_TOKEN_HTTP_URI_ARGS, i) < 0) return query;
    text.resize(static_cast<std::size_t>(size));
    const std::size_t equals = text.find('=');
    query.emplace_back(text.substr(0, equals), equals == std::string::npos ? "" : text.substr(equals + 1));
  }
}

}  // namespace

HttpRequest read_http_request(lws* wsi) {
  HttpRequest request;
  for (const auto& [method, token] :
       {std::pair{"GET", WSI_TOKEN_GET_URI}, std::pair{"HEAD", WSI_TOKEN_HEAD_URI}}) {
    request.path = header(wsi, token);
    if (request.path.empty()) continue;
    request.method = method;
    break;
  }
  request.query = read_query(wsi);
  request.host = header(wsi, WSI_TOKEN_HOST);
  request.authorization = header(wsi, WSI_TOKEN_HTTP_AUTHORIZATION);
  request.from_loopback = is_loopback_peer(lws_get_socket_fd(wsi));
  request.forwarded = lws_hdr_total_length(wsi, WSI_TOKEN_X_FORWARDED_FOR) > 0;
  request.if_none_match = header(wsi, WSI_TOKEN_HTTP_IF_NONE_MATCH);
  const std::string length = header(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH);
  request.body_length_known = std::atoll(length.c_str()) > 0;  // by lws' own reckoning
  request.has_body =
      (!length.empty() && length != "0") || lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0;
  const bool http_1_1 = header(wsi, WSI_TOKEN_HTTP) == "HTTP/1.1";
  request.has_host = !http_1_1 || !request.host.empty();
  // lws passes over the body of other methods only where it knows its length, so they end the connection.
  request.keep_alive = http_1_1 && !request.method.empty() &&
                       !list_holds(header(wsi, WSI_TOKEN_CONNECTION), "close", Case::kIgnored);
  return request;
}

UpgradeRequest read_upgrade_request(lws* wsi) {
  UpgradeRequest request;
  request.path = header(wsi, WSI_TOKEN_GET_URI);
  request.version = header(wsi, WSI_TOKEN_HTTP);
  request.host = header(wsi, WSI_TOKEN_HOST);
  request.upgrade = header(wsi, WSI_TOKEN_UPGRADE);
  request.connection = header(wsi, WSI_TOKEN_CONNECTION);
  request.key = header(wsi, WSI_TOKEN_KEY);
  request.websocket_version = header(wsi, WSI_TOKEN_VERSION);
  request.subprotocols = header(wsi, WSI_TOKEN_PROTOCOL);
  request.origin = header(wsi, WSI_TOKEN_ORIGIN);
  request.extensions = read_extensions(wsi);
  return request;
}

std::string read_extensions(lws* wsi) {
  return header(wsi, WSI_TOKEN_EXTENSIONS);
}

std::string read_token(lws* wsi) {
  for (auto& [name, value] : read_query(wsi)) {
    if (name == "token") return std::move(value);
  }
  return {};
}

Format agreed_format(lws* wsi) {
  return format_of(lws_get_protocol(wsi)->name).value_or(Format::kJson);
}

}  // namespace tickwire
