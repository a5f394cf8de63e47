// Which Host names a listener serves, so that no page of another site reaches it by a name of its own that it
// makes lead here (DNS rebinding).
//
// A listener on loopback serves loopback names and those that are listed (server.hosts); another one those
// that are listed, and any where none is. One rule for all that a client may ask for. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/http_message.h"

namespace tickwire {

// "a.example:8080", "[::1]", as in a Host header or behind the scheme of an origin.
struct Authority {
  std::string name;  // in lower case; an IPv6 address in brackets, in one spelling
  std::optional<std::uint16_t> port;
};
std::optional<Authority> parse_authority(std::string_view text);

// localhost and names below it, 127.0.0.0/8, [::1]. `name` as in an Authority.
bool is_loopback_name(std::string_view name);
// Whether `listed` is `name`, or "*." and a name that `name` lies below.
bool is_listed_as(std::string_view name, std::string_view listed);

// `host`: the header; empty (HTTP/1.0): no browser sent it, so it is served. `hosts`: names as in an
// Authority, also "*.a.example". Nothing: it is served.
std::optional<Refusal> check_host(std::string_view host, const std::vector<std::string>& hosts,
                                  bool loopback);

}  // namespace tickwire
