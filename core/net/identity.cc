#include "net/identity.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

#include "net/header_text.h"

namespace tickwire {
namespace {

constexpr std::string_view kBearer = "bearer ";

Refusal twice(std::string_view name) {
  return {400, {ErrorCode::kBadMessage, fmt::format("Cookie: {} is there twice", name), "Cookie"}};
}

// The pairs of a Cookie header (RFC 6265, section 4.2.1), as they were sent; what has no `=` is no pair.
template <typename Take>
void for_each_cookie(std::string_view header, Take take) {
  while (!header.empty()) {
    const std::string_view pair = header.substr(0, header.find(';'));
    header.remove_prefix(std::min(pair.size() + 1, header.size()));
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos) continue;
    take(trimmed(pair.substr(0, equals)), trimmed(pair.substr(equals + 1)));
  }
}

bool is_named(const IdentityRules& rules, std::string_view cookie) {
  if (cookie.empty()) return false;
  return cookie == rules.token_cookie || std::ranges::find(rules.cookies, cookie) != rules.cookies.end();
}

std::variant<ClientRequest::Fields, Refusal> cookies_of(const RequestHead& head, const IdentityRules& rules) {
  ClientRequest::Fields found;
  std::optional<Refusal> refusal;
  for (const auto& [name, text] : head.headers) {
    if (name != "cookie") continue;
    for_each_cookie(text, [&](std::string_view cookie, std::string_view value) {
      if (!is_named(rules, cookie)) return;
      const auto same = [cookie](const auto& other) { return other.first == cookie; };
      if (std::ranges::any_of(found, same)) refusal = twice(cookie);
      found.emplace_back(cookie, value);
    });
  }
  if (refusal) return *std::move(refusal);
  return found;
}

}  // namespace

std::string_view bearer_token(std::string_view authorization) {
  if (!equals_ignoring_case(authorization.substr(0, kBearer.size()), kBearer)) return {};
  return trimmed(authorization.substr(kBearer.size()));
}

std::variant<Identity, Refusal> identify(const RequestHead& head, const IdentityRules& rules, bool by_name) {
  Identity identity;
  ClientRequest request;
  std::string cookie;
  if (by_name) {
    auto found = cookies_of(head, rules);
    if (auto* refusal = std::get_if<Refusal>(&found)) return std::move(*refusal);
    for (auto& [name, value] : std::get<ClientRequest::Fields>(found)) {
      if (name == rules.token_cookie) cookie = value;
      if (std::ranges::find(rules.cookies, name) != rules.cookies.end()) {
        request.cookies.emplace_back(std::move(name), std::move(value));
      }
    }
  }
  for (const std::string& name : rules.headers) {
    if (auto text = head.find_header(name)) request.headers.emplace_back(name, std::move(*text));
  }
  identity.token = std::string(bearer_token(head.header("authorization")));
  if (identity.token.empty()) identity.token = head.parameter("token");
  if (identity.token.empty()) identity.token = std::move(cookie);
  if (!request.headers.empty() || !request.cookies.empty()) {
    identity.request = std::make_shared<const ClientRequest>(std::move(request));
  }
  return identity;
}

}  // namespace tickwire
