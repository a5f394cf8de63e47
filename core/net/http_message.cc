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
    case 204:
      return "No Content";
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
    case 429:
      return "Too Many Requests";
    case 500:
      return "Internal Server Error";
    case 431:
      return "Request Header Fields Too Large";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Service Unavailable";
  }
}

int status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kDenied:
      return 403;
    case ErrorCode::kUnknownTopic:
      return 404;
    case ErrorCode::kTooLarge:
      return 413;
    case ErrorCode::kTooMany:
      return 429;
    case ErrorCode::kInternal:
      return 500;
    case ErrorCode::kUnavailable:
    case ErrorCode::kDraining:
      return 503;
    default:
      return 400;
  }
}

}  // namespace

std::string parameter_of(const Query& query, std::string_view name) {
  const auto found = std::ranges::find(query, name, [](const auto& pair) { return pair.first; });
  return found == query.end() ? std::string() : found->second;
}

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

std::string error_json(const Error& error) {
  std::string text = "{";
  append_error_fields(text, error);
  return text += '}';
}

HttpResponse error_response(int status, const Error& error, std::string_view allow) {
  const CodeRow& row = code_row(error.code);
  HttpResponse response;
  response.status = status;
  response.limit = error.limit;
  response.head = fmt::format(R"({{"error":{}}})", error_json(error));
  response.headers = "Cache-Control: private, no-store\r\n";
  if ((status == 503 || status == 429) && row.retryable) {
    constexpr std::int64_t kRetryAfterSeconds = 2;
    const std::int64_t asked = (error.retry_after_ms + 999) / 1'000;
    response.headers += fmt::format("Retry-After: {}\r\n", asked > 0 ? asked : kRetryAfterSeconds);
  }
  if (status == 405) response.headers += fmt::format("Allow: {}\r\n", allow);
  if (status == 426) response.headers += "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
  return response;
}

HttpResponse preflight(std::string_view methods) {
  HttpResponse response;
  response.status = 204;
  response.headers = fmt::format(
      "Access-Control-Allow-Methods: {}\r\n"
      "Access-Control-Allow-Headers: Authorization, Content-Type\r\n"
      "Access-Control-Max-Age: 600\r\n",
      methods);
  return response;
}

HttpResponse error_response(const Error& error) {
  return error_response(status_of(error.code), error);
}

HttpResponse too_many(std::string_view what, Limit limit) {
  return error_response(503, {ErrorCode::kTooMany, fmt::format("{}; try again later", what), "", limit});
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
  if (response.status != 304 && response.status != 204) {  // which have no body and say nothing of it
    head += fmt::format("Content-Type: {}\r\nContent-Length: {}\r\n", response.content_type,
                        response.body_bytes());
  }
  return head += "\r\n";
}

}  // namespace tickwire
