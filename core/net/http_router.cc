#include "net/http_router.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>

namespace tickwire {
namespace {

struct ContentType {
  std::string_view suffix;
  std::string_view type;
};
constexpr std::array<ContentType, 7> kContentTypes{{{".html", "text/html; charset=utf-8"},
                                                    {".js", "text/javascript; charset=utf-8"},
                                                    {".css", "text/css; charset=utf-8"},
                                                    {".json", "application/json"},
                                                    {".svg", "image/svg+xml"},
                                                    {".png", "image/png"},
                                                    {".ico", "image/x-icon"}}};

std::string_view content_type(std::string_view name) {
  for (const ContentType& row : kContentTypes) {
    if (name.ends_with(row.suffix)) return row.type;
  }
  return "application/octet-stream";
}

HttpResponse elsewhere() {
  HttpResponse response = error_response(
      {ErrorCode::kDenied,
       "only the admin listener (admin.listen) answers this: `tickwire top` and `tickwire metrics` on the "
       "server's machine find it",
       ""});
  response.readers = Readers::kNoPage;
  return response;
}

}  // namespace

std::optional<HttpResponse> refusal_of(const HttpRequest& request) {
  if (request.method != "GET" && request.method != "HEAD") {
    return error_response(405, {ErrorCode::kUnknownCommand, "only GET and HEAD are answered here", ""});
  }
  if (request.has_body) return error_response({ErrorCode::kBadMessage, "a body is not accepted here", ""});
  return std::nullopt;
}

HttpRouter::Answer HttpRouter::answer(const HttpRequest& request, bool draining) const {
  if (auto refused = refusal_of(request)) return std::move(*refused);
  if (request.path == kHealthPath) return health(HealthDetail::kPublic, draining);
  if (request.path == kReadyPath) return ready(draining);
  if (draining) return error_response({ErrorCode::kDraining, "the server is going away", ""});
  if (request.path == kSessionsPath || request.path == kMetricsPath) return elsewhere();
  if (auto read = reads_.answer(request)) return std::move(*read);
  if (auto found = file(request)) return std::move(*found);
  return error_response(404, {ErrorCode::kUnknownCommand, "there is nothing at this path", ""});
}

HttpResponse HttpRouter::health(HealthDetail detail, bool draining) const {
  HttpResponse response = json_response();
  HealthAnswer health = parts_.source.health(detail);
  if (draining || !health.well) response.status = 503;
  response.head = std::move(health.json);
  return response;
}

HttpResponse HttpRouter::ready(bool draining) const {
  HttpResponse response = json_response();
  const std::string_view why_not = draining ? "draining" : parts_.source.not_ready();
  if (!why_not.empty()) response.status = 503;
  response.head = fmt::format(R"({{"status":"{}"}})", why_not.empty() ? "ready" : why_not);
  return response;
}

std::optional<HttpResponse> HttpRouter::file(const HttpRequest& request) const {
  const std::string_view name =
      request.path == "/" ? std::string_view("index.html") : std::string_view(request.path).substr(1);
  auto found = std::ranges::find(parts_.files, name, &StaticFile::name);
  if (found == parts_.files.end()) {  // a page's address has no ending: /embed
    found = std::ranges::find(parts_.files, fmt::format("{}.html", name), &StaticFile::name);
  }
  if (found == parts_.files.end()) return std::nullopt;
  HttpResponse response;
  response.content_type = content_type(found->name);
  response.readers = Readers::kAllPages;
  response.headers = fmt::format("Cache-Control: no-cache\r\nETag: \"{}\"\r\n", found->tag);
  if (request.if_none_match == fmt::format("\"{}\"", found->tag)) {
    response.status = 304;
  } else {
    response.shared = found->bytes;
  }
  return response;
}

}  // namespace tickwire
