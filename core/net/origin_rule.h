// Which pages may use the server from a browser: those whose Origin the configuration allows
// (server.origins). Whatever carries a session, changes something or hands out data asks this one rule.
//
// A client that sends no Origin is no page, and is not the rule's business. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/http_message.h"
#include "net/net_config.h"

namespace tickwire {

inline constexpr std::string_view kSameHost = "same-host";
inline constexpr std::string_view kEveryOrigin = "*";
inline constexpr std::string_view kNullOrigin = "null";  // of a page from a file or in a sandbox

// How a request came to the server.
struct Site {
  std::string host;       // its Host header
  bool loopback = false;  // the listener is on loopback
  Transport transport = Transport::kPlain;
};

// `allowed`: "*" (every one, also "null"), "same-host" (the host and port of the request; where the listener
// is on loopback and was asked for by a name of loopback, every page of loopback), "null", an origin as
// browsers send it, or one with "*." for all names below a host. Nothing: it may.
std::optional<Refusal> check_origin(const std::optional<std::string>& origin,
                                    const std::vector<std::string>& allowed, const Site& site);

// Whether the request is of a page that is allowed by name: not because every page is, nor as "null", which
// any page can make of itself. Only then may cookies say who the client is.
bool is_named_page(const std::optional<std::string>& origin, const std::vector<std::string>& allowed,
                   const Site& site);

}  // namespace tickwire
