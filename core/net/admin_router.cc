#include "net/admin_router.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <ranges>
#include <utility>

#include "net/header_text.h"
#include "net/identity.h"
#include "net/ip_address.h"
#include "net/origin_rule.h"

namespace tickwire {
namespace {

// The admin page loads nothing from elsewhere, and no other page shows it in a frame.
constexpr std::string_view kPageHeaders =
    "Content-Security-Policy: default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; "
    "frame-ancestors 'none'\r\n"
    "Referrer-Policy: no-referrer\r\n";

// Takes as long for every `given` of one length, so that time does not tell how much of it is right.
bool is_secret(std::string_view given, std::string_view secret) {
  if (secret.empty()) return false;
  volatile unsigned differences = given.size() == secret.size() ? 0 : 1;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const auto a = static_cast<unsigned char>(given[i]);
    const auto b = static_cast<unsigned char>(secret[i % secret.size()]);
    differences = differences | static_cast<unsigned>(a ^ b);
  }
  return differences == 0;
}

bool is_port(std::string_view text) {
  return !text.empty() && text.size() <= 5 && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// "127.0.0.1:9180", "[::1]:9180", "localhost". A name may be a page's own, made to resolve to here.
bool is_address(std::string_view host) {
  const auto split = split_host_and_port(host);
  if (!split || (split->port && !is_port(*split->port))) return false;
  if (!split->bracketed && equals_ignoring_case(split->host, "localhost")) return true;
  return (split->host.find(':') != std::string_view::npos) == split->bracketed &&
         IpAddress::parse(split->host);
}

constexpr std::string_view kHaltsPath = "/v1/halts";

HttpResponse for_the_admin(HttpResponse response) {
  response.readers = Readers::kNoPage;
  return response;
}

AnswerInPieces for_the_admin(AnswerInPieces pieces) {
  return [pieces = std::move(pieces)](const Budget& budget) {
    std::optional<HttpResponse> response = pieces(budget);
    if (response) response->readers = Readers::kNoPage;
    return response;
  };
}

ReadRequest for_the_admin(ReadRequest request) {
  request.then = [then = std::move(request.then)](const Admission::Decisions& decisions) {
    return std::visit([](auto found) -> ReadRequest::Answer { return for_the_admin(std::move(found)); },
                      then(decisions));
  };
  return request;
}

WaitRequest for_the_admin(WaitRequest request) {
  request.answer = [answer = std::move(request.answer)] { return for_the_admin(answer()); };
  return request;
}

AnswerInPieces metrics_answer(TextInPieces text) {
  return [text = std::move(text)](const Budget& budget) -> std::optional<HttpResponse> {
    std::optional<std::string> whole = text(budget);
    if (!whole) return std::nullopt;
    HttpResponse response = json_response();
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    response.head = std::move(*whole);
    return response;
  };
}

// Not by a name that a page may have made to lead to this server.
Status is_called_right(const HttpRequest& request, Door door) {
  if (door == Door::kAdminSocket || is_address(request.host)) return ok_status();
  return Error{ErrorCode::kDenied, "Host: must be an address or localhost here", "Host"};
}

// Browsers say the Origin of the admin page itself when it asks for an action. No page was opened by a
// socket.
bool is_own_page(const HttpRequest& request, Door door) {
  if (!request.origin) return true;
  const Site site{.host = request.host};
  return door == Door::kAdminTcp && !check_origin(request.origin, {std::string(kSameHost)}, site);
}

Result<SessionNumber> parse_sort(const std::string& text) {
  const auto* const found = std::ranges::find(kSessionNumbers, text, &SessionNumberName::name);
  if (found != kSessionNumbers.end()) return found->number;
  const auto names = kSessionNumbers | std::views::transform(&SessionNumberName::name);
  return Error{ErrorCode::kBadMessage,
               fmt::format("sort: must be one of {}, not {}", fmt::join(names, ", "), text.substr(0, 40)),
               "sort"};
}

}  // namespace

std::optional<HttpResponse> AdminRouter::refusal_for(const HttpRequest& request, Door door) const {
  Status admitted = is_called_right(request, door);
  if (admitted) admitted = admit(request, door);
  if (admitted) return std::nullopt;
  return for_the_admin(error_response(403, admitted.error()));
}

AdminRouter::Answer AdminRouter::answer(const HttpRequest& request, Door door, bool draining) const {
  if (auto refused = refusal_of(request)) return for_the_admin(std::move(*refused));
  if (const Status called = is_called_right(request, door); !called) {
    return for_the_admin(error_response(403, called.error()));
  }
  if (auto found = page(request)) return for_the_admin(std::move(*found));
  if (const Status admitted = admit(request, door); !admitted) {
    return for_the_admin(error_response(403, admitted.error()));
  }
  if (request.path == kHealthPath) return for_the_admin(site_.health(HealthDetail::kAll, draining));
  if (request.path == kHaltsPath) {
    HttpResponse response = json_response();
    response.head = site_.source().halts();
    return for_the_admin(std::move(response));
  }
  if (request.path == kMetricsPath) return for_the_admin(metrics_answer(site_.source().metrics()));
  if (request.path != kSessionsPath) {
    const auto guard = [](auto found) -> Answer { return for_the_admin(std::move(found)); };
    return std::visit(guard, site_.answer(request, draining));
  }
  const auto query = read_sessions_query(request);
  if (query) return *query;
  return for_the_admin(error_response(400, query.error()));
}

std::optional<HttpResponse> AdminRouter::page(const HttpRequest& request) const {
  HttpRequest wanted = request;
  if (request.path == "/") wanted.path = "/admin";
  auto found = site_.file(wanted);
  if (found) found->headers += kPageHeaders;
  return found;
}

Status AdminRouter::admit(const HttpRequest& request, Door door) const {
  if (!is_own_page(request, door)) {
    return Error{ErrorCode::kDenied, "Origin: pages of other sites are not answered here", "Origin"};
  }
  if (door == Door::kAdminSocket) return ok_status();
  if (is_secret(bearer_token(request.authorization), token_)) return ok_status();
  return Error{ErrorCode::kDenied, "Authorization: must be Bearer and the server's auth.admin_token",
               "Authorization"};
}

Result<SessionsQuery> read_sessions_query(const HttpRequest& request) {
  SessionsQuery query;
  for (const auto& [name, value] : request.query) {
    if (value.empty()) continue;
    if (name == "sort") {
      const auto sort = parse_sort(value);
      if (!sort) return sort.error();
      query.sort = *sort;
    }
    if (name == "limit") {
      const auto limit = parse_limit(value, kListSessionsMax, Limit::kListSessions);
      if (!limit) return limit.error();
      query.limit = *limit;
    }
  }
  return query;
}

}  // namespace tickwire
