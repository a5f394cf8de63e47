#include "net/host_rule.h"

#include <fmt/format.h>

#include <algorithm>

#include "net/header_text.h"
#include "net/ip_address.h"

namespace tickwire {
namespace {

bool is_name(std::string_view text) {
  return !text.empty() && text.front() != '.' && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  });
}

}  // namespace

std::optional<Authority> parse_authority(std::string_view text) {
  const auto split = split_host_and_port(text);
  if (!split) return std::nullopt;
  Authority authority;
  if (split->bracketed) {
    const auto address = IpAddress::parse(split->host);
    if (!address || split->host.find(':') == std::string_view::npos) return std::nullopt;
    authority.name = address->is_ipv4() ? address->text() : fmt::format("[{}]", address->text());
  } else {
    authority.name = lower_case(split->host);
    if (authority.name.ends_with('.')) authority.name.pop_back();  // the same name, from the root on
    if (!is_name(authority.name)) return std::nullopt;
  }
  if (!split->port) return authority;
  authority.port = parse_port(*split->port);
  if (!authority.port) return std::nullopt;
  return authority;
}

bool is_loopback_name(std::string_view name) {
  if (name == "localhost" || name.ends_with(".localhost")) return true;
  if (name.starts_with('[') && name.ends_with(']')) name = name.substr(1, name.size() - 2);
  const auto address = IpAddress::parse(name);
  return address && address->is_loopback();
}

bool is_listed_as(std::string_view name, std::string_view listed) {
  if (!listed.starts_with("*.")) return name == listed;
  return name.size() > listed.size() - 1 && name.ends_with(listed.substr(1));
}

std::optional<Refusal> check_host(std::string_view host, const std::vector<std::string>& hosts,
                                  bool loopback) {
  if (host.empty() || (hosts.empty() && !loopback)) return std::nullopt;
  const auto authority = parse_authority(host);
  if (authority) {
    if (loopback && is_loopback_name(authority->name)) return std::nullopt;
    const auto lists = [&](const std::string& listed) { return is_listed_as(authority->name, listed); };
    if (std::ranges::any_of(hosts, lists)) return std::nullopt;
  }
  const std::string_view why =
      loopback ? "at an address of loopback only names of loopback are, and those in server.hosts"
               : "see server.hosts";
  return Refusal{
      421,
      {ErrorCode::kDenied, fmt::format("Host: {} is not served here; {}", host.substr(0, 100), why), "Host"}};
}

}  // namespace tickwire
