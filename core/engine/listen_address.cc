#include <fmt/format.h>

#include <charconv>

#include "engine/config.h"

namespace tickwire {

Result<ListenAddress> parse_listen(std::string_view text, std::string_view key) {
  const auto bad = [text, key](std::string_view what) {
    return Error{ErrorCode::kBadConfig,
                 fmt::format("{} must be host:port, as in 127.0.0.1:8080 or [::1]:8080, not \"{}\": {}", key,
                             text, what),
                 std::string(key)};
  };
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return bad("the port is missing");
  std::string_view host = text.substr(0, colon);
  const std::string_view port_text = text.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return bad("an IPv6 address needs brackets");
  }
  if (host.empty()) return bad("the host is missing (0.0.0.0 is every address)");
  ListenAddress address{std::string(host), 0};
  const auto [end, failure] =
      std::from_chars(port_text.data(), port_text.data() + port_text.size(), address.port);
  if (failure != std::errc() || end != port_text.data() + port_text.size()) {
    return bad("the port must be a number from 0 to 65535");
  }
  return address;
}

}  // namespace tickwire
