#include "net/http_router.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>

#include "fanout/topic_page.h"
#include "protocol/command.h"
#include "protocol/encode.h"

namespace tickwire {
namespace {

constexpr std::string_view kSnapshotPrefix = "/v1/snapshot/";

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

struct TopicsQuery {
  std::string pattern = ">";
  std::string after;
  std::size_t limit = kListTopicsMax;
};

// Parameters without a value are as good as absent; unknown ones are ignored, as everywhere in the protocol.
Result<TopicsQuery> parse_topics_query(const HttpRequest& request) {
  TopicsQuery query;
  for (const auto& [name, value] : request.query) {
    if (value.empty()) continue;
    if (name == "pattern") query.pattern = value;
    if (name == "after") query.after = value;
    if (name == "limit") {
      auto limit = parse_limit(value, kListTopicsMax, Limit::kListTopics);
      if (!limit) return limit.error();
      query.limit = *limit;
    }
  }
  return query;
}

int status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kDenied:
      return 403;
    case ErrorCode::kUnknownTopic:
      return 404;
    case ErrorCode::kDraining:
      return 503;
    default:
      return 400;
  }
}

HttpResponse error_response(const Error& error) {
  return tickwire::error_response(status_of(error.code), error);
}

HttpResponse topics_response(const TopicPage& page) {
  HttpResponse response = json_response();
  if (page.cut_short()) response.limit = Limit::kListTopics;
  response.head = R"({"topics":[)";
  for (const UpdatePtr& update : page.topics()) {
    if (response.head.back() != '[') response.head += ',';
    fmt::format_to(std::back_inserter(response.head), R"({{"topic":"{}","seq":{},"ts":{},"status":"{}"}})",
                   update->topic().name, update->seq(), update->ts(), name_of(update->status()));
  }
  const std::string_view next = page.next();
  response.head += next.empty() ? R"(],"next":null})" : fmt::format(R"(],"next":"{}"}})", next);
  return response;
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
    return tickwire::error_response(405,
                                    {ErrorCode::kUnknownCommand, "only GET and HEAD are answered here", ""});
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
  if (request.path == "/v1/topics") return topics(request);
  if (request.path.starts_with(kSnapshotPrefix)) {
    return snapshot(std::string_view(request.path).substr(kSnapshotPrefix.size()));
  }
  if (auto found = file(request)) return std::move(*found);
  return tickwire::error_response(404, {ErrorCode::kUnknownCommand, "there is nothing at this path", ""});
}

HttpRouter::Answer HttpRouter::topics(const HttpRequest& request) const {
  const auto query = parse_topics_query(request);
  if (!query) return error_response(query.error());
  const auto pattern = Pattern::parse(query->pattern);
  if (!pattern) return error_response(pattern.error());
  const auto page =
      std::make_shared<TopicPage>(parts_.hub, parts_.access, *pattern, query->after, query->limit);
  return [page](const Budget& budget) -> std::optional<HttpResponse> {
    if (page->run(budget)) return topics_response(*page);
    return std::nullopt;
  };
}

HttpResponse HttpRouter::snapshot(std::string_view topic) const {
  if (auto valid = check_topic(topic); !valid) return error_response(valid.error());
  if (parts_.access.check(Action::kSubscribe, topic) != Verdict::kAllow) {
    return error_response({ErrorCode::kDenied, fmt::format("{}: is guarded; subscribe to it", topic), ""});
  }
  const UpdatePtr update = parts_.hub.find(topic);
  if (!update) {
    return error_response(
        {ErrorCode::kUnknownTopic, fmt::format("{}: nothing was published to it", topic), ""});
  }
  HttpResponse response = json_response();
  response.head =
      fmt::format(R"({{"topic":"{}","epoch":{},"seq":{},"ts":{},"status":"{}","data":)", topic,
                  quote_json(parts_.hub.epoch()), update->seq(), update->ts(), name_of(update->status()));
  response.shared = update->image();
  response.owner = update;
  response.tail = "}";
  return response;
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
  const bool serves = parts_.source.serves();
  if (draining || !serves) response.status = 503;
  response.head = fmt::format(R"({{"status":"{}"}})", draining ? "draining" : serves ? "ready" : "starting");
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
