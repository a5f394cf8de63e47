#include "net/forwarded.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <vector>

#include "net/header_text.h"

namespace tickwire {
namespace {

struct Hidden {};  // the proxy does not say
struct Unreadable {};
using Hop = std::variant<Endpoint, Hidden, Unreadable>;

bool is_letter_or_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// RFC 7239 section 6.3, `_hidden`; also in place of a port.
bool is_obfuscated(std::string_view text) {
  return text.size() > 1 && text.front() == '_' && std::ranges::all_of(text, [](char c) {
           return is_letter_or_digit(c) || c == '.' || c == '_' || c == '-';
         });
}

enum class Brackets : std::uint8_t { kRequired, kOptional };

// An address, with a port or without: RFC 7239 section 6. X-Forwarded-For, which nobody specified, also has
// IPv6 addresses without brackets; behind these stands no port.
Hop read_node(std::string_view text, Brackets brackets) {
  const bool bare =
      brackets == Brackets::kOptional && !text.starts_with('[') && std::ranges::count(text, ':') > 1;
  if (bare) {
    const auto address = IpAddress::parse(text);
    return address ? Hop(Endpoint{*address, 0}) : Hop(Unreadable());
  }
  const auto split = split_host_and_port(text);
  if (!split) return Unreadable();
  const auto& [host, bracketed, port_text] = *split;
  std::uint16_t port = 0;
  if (port_text) {
    const auto number = parse_port(*port_text);
    if (!number && !is_obfuscated(*port_text)) return Unreadable();
    port = number.value_or(0);
  }
  if (!bracketed && (equals_ignoring_case(host, "unknown") || is_obfuscated(host))) return Hidden();
  if ((host.find(':') != std::string_view::npos) != bracketed) return Unreadable();
  const auto address = IpAddress::parse(host);
  return address ? Hop(Endpoint{*address, port}) : Hop(Unreadable());
}

// --- X-Forwarded-For: a, b, c ----------------------------------------------------------------------------

std::vector<Hop> read_x_forwarded_for(std::string_view line) {
  std::vector<Hop> hops;
  for (const auto part : std::views::split(line, ',')) {
    const std::string_view element = trimmed(std::string_view(part.begin(), part.end()));
    if (!element.empty()) hops.push_back(read_node(element, Brackets::kOptional));
  }
  return hops;
}

// --- Forwarded: for=a;proto=https, for="[b]:4711" --------------------------------------------------------

class ForwardedReader {
 public:
  explicit ForwardedReader(std::string_view line) : left_(line) {}

  // Nothing: the line is not well-formed. Then no hop of it counts, since a quote that is not closed changes
  // what every comma means.
  std::optional<std::vector<Hop>> read() {
    std::vector<Hop> hops;
    for (;;) {
      skip_blanks();
      if (left_.empty()) return hops;
      if (take(',')) continue;
      const auto hop = read_element();
      if (!hop) return std::nullopt;
      hops.push_back(*hop);
      skip_blanks();
      if (!left_.empty() && !take(',')) return std::nullopt;
    }
  }

 private:
  std::optional<Hop> read_element() {
    std::optional<Hop> hop;
    for (;;) {
      skip_blanks();
      if (!left_.empty() && left_.front() != ';' && left_.front() != ',') {
        const std::string_view name = read_token();
        if (name.empty() || !take('=')) return std::nullopt;
        const auto value = read_value();
        if (!value) return std::nullopt;
        if (equals_ignoring_case(name, "for")) {
          if (hop) return std::nullopt;
          hop = read_node(*value, Brackets::kRequired);
        }
        skip_blanks();
      }
      if (!take(';')) return hop.value_or(Hidden());
    }
  }

  std::optional<std::string> read_value() {
    if (!take('"')) {
      const std::string_view token = read_token();
      return token.empty() ? std::nullopt : std::optional(std::string(token));
    }
    std::string value;
    while (!left_.empty()) {
      if (take('"')) return value;
      if (take('\\') && left_.empty()) return std::nullopt;
      value += left_.front();
      left_.remove_prefix(1);
    }
    return std::nullopt;
  }

  std::string_view read_token() {
    const std::string_view token = left_.substr(0, token_bytes(left_));
    left_.remove_prefix(token.size());
    return token;
  }

  bool take(char c) {
    if (!left_.starts_with(c)) return false;
    left_.remove_prefix(1);
    return true;
  }
  void skip_blanks() { left_.remove_prefix(std::min(left_.find_first_not_of(" \t"), left_.size())); }

  std::string_view left_;
};

std::vector<Hop> read_line(std::string_view line, ProxyHeader header) {
  if (header == ProxyHeader::kXForwardedFor) return read_x_forwarded_for(line);
  return ForwardedReader(line).read().value_or(std::vector<Hop>{Unreadable()});
}

Refusal unreadable(std::string_view name) {
  return {400,
          {ErrorCode::kBadMessage, fmt::format("{}: what the proxy in front wrote is no address", name),
           std::string(name)}};
}

}  // namespace

std::variant<ClientAddress, Refusal> find_client(const RequestHead& head, const ClientAddress& peer,
                                                 const ProxyRules& rules) {
  if (!rules.reads_header_of(peer)) return peer;
  const std::string_view name = rules.header == ProxyHeader::kForwarded ? std::string_view("forwarded")
                                                                        : std::string_view("x-forwarded-for");
  ClientAddress client = peer;
  for (const auto& [given, line] : std::views::reverse(head.headers)) {
    if (given != name) continue;
    for (const Hop& hop : std::views::reverse(read_line(line, rules.header))) {
      if (std::holds_alternative<Unreadable>(hop)) return unreadable(name);
      client.proxied = true;
      const auto* const endpoint = std::get_if<Endpoint>(&hop);
      if (endpoint == nullptr) return client;
      client.endpoint = *endpoint;
      if (!rules.trusts(endpoint->address)) return client;
    }
  }
  return client;
}

}  // namespace tickwire
