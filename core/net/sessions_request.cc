#include "net/sessions_request.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstddef>
#include <ranges>
#include <string>

#include "net/header_text.h"

namespace tickwire {
namespace {

constexpr std::string_view kBearer = "Bearer ";

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

std::string_view bearer_token(std::string_view authorization) {
  if (!equals_ignoring_case(authorization.substr(0, kBearer.size()), kBearer)) return {};
  return authorization.substr(kBearer.size());
}

// "127.0.0.1:8080", "localhost", "[::1]:8080". Any other name may be a page's own, made to resolve to here.
bool is_loopback_host(std::string_view host) {
  if (host.starts_with('[')) return host.substr(0, host.find(']') + 1) == "[::1]";
  host = host.substr(0, host.find(':'));
  return equals_ignoring_case(host, "localhost") ||
         (host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string_view::npos);
}

bool is_local(const HttpRequest& request) {
  return request.from_loopback && !request.forwarded && is_loopback_host(request.host);
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

Result<SessionsQuery> read_sessions_request(const HttpRequest& request, std::string_view admin_token) {
  if (!is_local(request) && !is_secret(bearer_token(request.authorization), admin_token)) {
    return Error{ErrorCode::kDenied,
                 "sessions are shown at a loopback address, or to who sends the token auth.admin_token", ""};
  }
  SessionsQuery query;
  for (const auto& [name, value] : request.query) {
    if (value.empty()) continue;
    if (name == "sort") {
      const auto sort = parse_sort(value);
      if (!sort) return sort.error();
      query.sort = *sort;
    }
    if (name == "limit") {
      const auto limit = parse_limit(value, kListSessionsMax);
      if (!limit) return limit.error();
      query.limit = *limit;
    }
  }
  return query;
}

}  // namespace tickwire
