#include <fmt/format.h>

#include <charconv>

#include "engine/config.h"

namespace tickwire {

Result<ListenAddress> parse_listen(std::string_view text, std::string_view key) {
  const auto bad = [text, key](std::string_view what) {
    return Error{
        ErrorCode::kBadConfig,
        fmt::format("{} must be host:port, as in 127.0.0.1:8080 or https://[::1]:8443, not \"{}\": {}", key,
                    text, what),
        std::string(key)};
  };
  ListenAddress address;
  std::string_view rest = text;
  if (const std::size_t scheme_end = text.find("://"); scheme_end != std::string_view::npos) {
    const std::string_view scheme = text.substr(0, scheme_end);
    if (scheme != "http" && scheme != "https") return bad("only http:// and https:// are served");
    if (scheme == "https") address.transport = Transport::kTls;
    rest.remove_prefix(scheme_end + 3);
  }
  if (const std::size_t option = rest.find('?'); option != std::string_view::npos) {
    const std::string_view proxy = rest.substr(option + 1);
    if (proxy != "proxy=required" && proxy != "proxy=off") {
      return bad("behind ? stands proxy=required or proxy=off");
    }
    if (proxy == "proxy=required") address.proxy = ProxyProtocol::kRequired;
    rest = rest.substr(0, option);
  }
  const std::size_t colon = rest.rfind(':');
  if (colon == std::string_view::npos) return bad("the port is missing");
  std::string_view host = rest.substr(0, colon);
  const std::string_view port_text = rest.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return bad("an IPv6 address needs brackets");
  }
  if (host.empty()) return bad("the host is missing (0.0.0.0 is every address)");
  address.host = host;
  const auto [end, failure] =
      std::from_chars(port_text.data(), port_text.data() + port_text.size(), address.port);
  if (failure != std::errc() || end != port_text.data() + port_text.size()) {
    return bad("the port must be a number from 0 to 65535");
  }
  return address;
}

Result<std::vector<ListenAddress>> parse_listens(const Config& config) {
  std::vector<ListenAddress> addresses;
  for (const std::string& text : config.listen.texts) {
    auto address = parse_listen(text);
    if (!address) return address.error();
    addresses.push_back(std::move(*address));
  }
  return addresses;
}

}  // namespace tickwire
