#include "net/http_message.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "protocol/codes.h"
#include "protocol/encode.h"

namespace tickwire {
namespace {

std::string_view status_text(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 411:
      return "Length Required";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 408:
      return "Request Timeout";
    case 421:
      return "Misdirected Request";
    case 426:
      return "Upgrade Required";
    case 431:
      return "Request Header Fields Too Large";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Service Unavailable";
  }
}

}  // namespace

Result<std::size_t> parse_limit(std::string_view text, std::size_t max, Limit limit) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 1 || value > max) {
    Error refused{ErrorCode::kBadMessage,
                  fmt::format("limit: must be 1 to {}, not {}", max, text.substr(0, 40)), "limit"};
    if (value > max) refused.limit = limit;
    return refused;
  }
  return value;
}

HttpResponse json_response() {
  HttpResponse response;
  response.headers = "Cache-Control: no-store\r\n";
  return response;
}

HttpResponse error_response(int status, const Error& error) {
  const CodeRow& row = code_row(error.code);
  HttpResponse response;
  response.status = status;
  response.limit = error.limit;
  response.head = fmt::format(R"({{"error":{{"code":"{}","message":{},"retryable":{}}}}})", row.name,
                              quote_json(error.message), row.retryable);
  if (status == 503 && row.retryable) {
    constexpr std::int64_t kRetryAfterSeconds = 2;
    const std::int64_t asked = (error.retry_after_ms + 999) / 1'000;
    response.headers = fmt::format("Retry-After: {}\r\n", std::max(asked, kRetryAfterSeconds));
  }
  if (status == 405) response.headers = "Allow: GET, HEAD\r\n";
  if (status == 426) response.headers = "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
  return response;
}

std::string response_head(const HttpResponse& response) {
  std::string head = fmt::format(
      "HTTP/1.1 {} {}\r\n"
      "Connection: close\r\n"
      "{}"
      "X-Content-Type-Options: nosniff\r\n"
      "{}",
      response.status, status_text(response.status),
      response.readers != Readers::kNoPage ? "Access-Control-Allow-Origin: *\r\n" : "", response.headers);
  if (response.status != 304) {  // which has no body and says nothing of it
    head += fmt::format("Content-Type: {}\r\nContent-Length: {}\r\n", response.content_type,
                        response.body_bytes());
  }
  return head += "\r\n";
}

}  // namespace tickwire
