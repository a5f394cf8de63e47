#include "engine/origin.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdint>
#include <utility>

#include "net/header_text.h"
#include "net/origin_rule.h"

namespace tickwire {
namespace {

Error refused(std::string_view text, std::string_view why) {
  return {
      ErrorCode::kBadConfig,
      fmt::format(
          "server.origins: \"{}\" {}; an origin is \"same-host\", scheme://host or scheme://host:port, as in "
          "\"https://a.example\"",
          text, why),
      "server.origins"};
}

bool is_scheme(std::string_view text) {
  return !text.empty() && std::isalpha(static_cast<unsigned char>(text.front())) != 0 &&
         std::ranges::all_of(
             text, [](unsigned char c) { return std::isalnum(c) != 0 || c == '+' || c == '-' || c == '.'; });
}

bool is_host(std::string_view text) {
  if (text.starts_with('[')) {
    return text.size() > 2 && text.ends_with(']') &&
           text.find_first_not_of("0123456789abcdefABCDEF:.", 1) == text.size() - 1;
  }
  return !text.empty() && std::ranges::all_of(text, [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '.' || c == '_';
  });
}

bool is_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), port);
  return failed == std::errc() && end == text.data() + text.size() && port != 0;
}

}  // namespace

Result<std::string> normalize_origin(std::string_view text) {
  if (text == kEveryOrigin || text == kSameHost || text == kNullOrigin) return std::string(text);
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos) return refused(text, "has no scheme");
  const std::string scheme = lower_case(text.substr(0, colon));
  std::string_view rest = text.substr(colon + 3);
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (!is_scheme(scheme)) return refused(text, "has no valid scheme");
  if (rest.find_first_of("/?#") != std::string_view::npos) return refused(text, "has a path");
  if (rest.find('@') != std::string_view::npos) return refused(text, "has a user");
  const std::string_view star = rest.starts_with("*.") ? rest.substr(0, 2) : std::string_view();
  rest.remove_prefix(star.size());
  if (rest.find('*') != std::string_view::npos) {
    return refused(text, "has a wildcard elsewhere than in \"https://*.a.example\"; \"*\" is every origin");
  }
  const std::size_t host_end = rest.starts_with('[') ? rest.find(']') + 1 : rest.find(':');
  const std::string host = lower_case(rest.substr(0, host_end));
  std::string_view port = host_end < rest.size() ? rest.substr(host_end) : std::string_view();
  if (!is_host(host)) return refused(text, "has no valid host (names beyond ASCII are written in punycode)");
  if (!port.empty() && (!port.starts_with(':') || !is_port(port.substr(1)))) {
    return refused(text, "has no valid port");
  }
  constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kDefaultPorts{
      {{"http", ":80"}, {"ws", ":80"}, {"https", ":443"}, {"wss", ":443"}}};
  if (std::ranges::find(kDefaultPorts, std::pair(std::string_view(scheme), port)) != kDefaultPorts.end())
    port = {};
  return fmt::format("{}://{}{}{}", scheme, star, host, port);
}

}  // namespace tickwire
