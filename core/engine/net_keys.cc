#include "engine/net_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "engine/origin.h"
#include "net/host_rule.h"

namespace tickwire {
namespace {

Result<std::string> normalize_host(std::string_view text) {
  const std::string_view star = text.starts_with("*.") ? text.substr(0, 2) : std::string_view();
  const auto authority = parse_authority(text.substr(star.size()));
  const bool is_address = authority && authority->name.find_first_not_of("0123456789.") == std::string::npos;
  if (!authority || authority->port || (!star.empty() && (is_address || authority->name.starts_with('[')))) {
    return Error{ErrorCode::kBadConfig,
                 fmt::format("server.hosts: \"{}\" must be a host name or an address without a port, as in "
                             "\"a.example\", \"*.a.example\" or \"[::1]\"",
                             text),
                 "server.hosts"};
  }
  return std::string(star) + authority->name;
}

Result<std::string> check_network(std::string_view text) {
  const auto network = IpNetwork::parse(text);
  if (network) return std::string(text);
  return Error{ErrorCode::kBadConfig, "server.trusted_proxies: " + network.error().message,
               "server.trusted_proxies"};
}

template <typename Normalize>
Status normalize_all(Config& config, std::vector<std::string>& texts, Normalize normalize) {
  for (std::string& text : texts) {
    Result<std::string> normal = normalize(text);
    if (!normal) return with_source(config, normal.error());
    text = std::move(*normal);
  }
  return ok_status();
}

void warn_of_proxies(Config& config, const std::vector<ListenAddress>& addresses) {
  if (!config.trusted_proxies.empty()) return;
  if (config.proxy_header != ProxyHeader::kNone) {
    config.warnings.emplace_back("server.proxy_header is not used: server.trusted_proxies is empty");
  }
  const auto is_proxied = [](const ListenAddress& address) {
    return address.proxy == ProxyProtocol::kRequired;
  };
  if (std::ranges::any_of(addresses, is_proxied)) {
    config.warnings.emplace_back(
        "server.trusted_proxies is empty: whoever reaches an address with ?proxy=required can claim any "
        "address");
  }
}

}  // namespace

Status check_net_keys(Config& config, const std::vector<ListenAddress>& addresses) {
  Status checked = normalize_all(config, config.hosts, normalize_host);
  if (checked) checked = normalize_all(config, config.origins, normalize_origin);
  if (checked) checked = normalize_all(config, config.trusted_proxies, check_network);
  if (checked) warn_of_proxies(config, addresses);
  return checked;
}

ProxyRules proxy_rules(const Config& config) {
  ProxyRules rules;
  rules.header = config.proxy_header;
  for (const std::string& text : config.trusted_proxies) {
    if (const auto network = IpNetwork::parse(text)) rules.trusted.push_back(*network);
  }
  return rules;
}

}  // namespace tickwire
