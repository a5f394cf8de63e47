#include "net/origin_rule.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "net/header_text.h"
#include "net/host_rule.h"

namespace tickwire {
namespace {

constexpr std::uint16_t kHttpPort = 80;
constexpr std::uint16_t kHttpsPort = 443;

bool is_same_host(std::string_view origin, const Site& site) {
  const bool secure = origin.starts_with("https://");
  if (!secure && !origin.starts_with("http://")) return false;
  const auto page = parse_authority(origin.substr(origin.find("://") + 3));
  const auto server = parse_authority(site.host);
  if (!page || !server) return false;
  if (site.loopback && is_loopback_name(page->name) && is_loopback_name(server->name)) return true;
  // Over plain HTTP a proxy with TLS may be in front, so that the page's scheme says nothing.
  if (site.transport == Transport::kTls && !secure) return false;
  const std::uint16_t port = secure ? kHttpsPort : kHttpPort;
  return page->name == server->name && page->port.value_or(port) == server->port.value_or(port);
}

// "https://*.a.example:8443": what the star stands for is one name or several.
bool is_below(std::string_view origin, std::string_view pattern) {
  const std::size_t star = pattern.find("://*.");
  if (star == std::string_view::npos) return false;
  const std::string_view start = pattern.substr(0, star + 3);
  const std::string_view end = pattern.substr(star + 4);
  if (!origin.starts_with(start) || !origin.ends_with(end) || origin.size() <= start.size() + end.size()) {
    return false;
  }
  const std::string_view names = origin.substr(start.size(), origin.size() - start.size() - end.size());
  return names.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-._") == std::string_view::npos;
}

// Any page can become one of the origin "null".
bool names(std::string_view entry, std::string_view origin, const Site& site) {
  if (entry == kEveryOrigin || origin == kNullOrigin) return false;
  if (entry == kSameHost) return is_same_host(origin, site);
  return entry == origin || is_below(origin, entry);
}

}  // namespace

bool is_named_page(const std::optional<std::string>& origin, const std::vector<std::string>& allowed,
                   const Site& site) {
  if (!origin) return false;
  const std::string lowered = lower_case(*origin);
  return std::ranges::any_of(allowed, [&](std::string_view entry) { return names(entry, lowered, site); });
}

std::optional<Refusal> check_origin(const std::optional<std::string>& origin,
                                    const std::vector<std::string>& allowed, const Site& site) {
  if (!origin) return std::nullopt;
  const std::string lowered = lower_case(*origin);
  const auto allows = [&](std::string_view entry) {
    return entry == kEveryOrigin || entry == lowered || names(entry, lowered, site);
  };
  if (std::ranges::any_of(allowed, allows)) return std::nullopt;
  const std::string shown = origin->substr(0, 100);
  std::string message = lowered == kNullOrigin
                            ? "Origin: null (a page from a file or in a sandbox) is allowed only where "
                              "server.origins lists \"null\""
                            : fmt::format("Origin: {} is not in server.origins", shown);
  return Refusal{403, {ErrorCode::kDenied, std::move(message), "Origin"}};
}

}  // namespace tickwire
