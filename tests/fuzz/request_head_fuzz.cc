// A request head, in pieces as a socket gives them, up to what is agreed on with its client.
#include <algorithm>
#include <string>
#include <variant>

#include "fuzz.h"
#include "net/header_text.h"
#include "net/host_rule.h"
#include "net/origin_rule.h"
#include "net/request_head.h"
#include "net/upgrade.h"

using tickwire::fuzz::require;

namespace {

using namespace tickwire;

HeadScanner::Found scan(std::string_view bytes, std::size_t piece) {
  HeadScanner scanner;
  for (std::size_t end = piece;; end += piece) {
    const HeadScanner::Found found = scanner.scan(bytes.substr(0, std::min(end, bytes.size())));
    if (!std::holds_alternative<std::monostate>(found) || end >= bytes.size()) return found;
  }
}

void check_head(std::string_view bytes) {
  const auto parsed = parse_request_head(bytes);
  const auto* head = std::get_if<RequestHead>(&parsed);
  if (head == nullptr) return;
  require(!head->path.empty() && head->path.front() == '/', "a path begins with a slash");
  require(head->path.find("/../") == std::string::npos, "no path leads upwards");
  for (const auto& [name, value] : head->headers) {
    const auto is_control = [](char c) {
      return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F;
    };
    require(std::ranges::none_of(value, is_control), "no control byte in a header");
  }
  const UpgradeRequest request = upgrade_request(*head);
  const std::string host = head->header("host");
  const auto origin = head->find_header("origin");
  if (!check_host(host, {"*.b.example"}, true) && !host.empty()) {
    const auto authority = parse_authority(host);
    require(authority.has_value(), "a host that is served can be read");
    require(is_loopback_name(authority->name) || authority->name.ends_with(".b.example"), "only those hosts");
  }
  if (!check_origin(origin, {"https://a.example"}, {host, true, Transport::kPlain})) {
    require(!origin || lower_case(*origin) == "https://a.example", "only that origin");
  }
  if (!check_origin(origin, {"same-host", "https://*.a.example"}, {host, false, Transport::kTls})) {
    require(!origin || lower_case(*origin).starts_with("https://"), "no page without TLS");
  }
  if (check_upgrade(request)) return;
  const Agreement agreement = agree(request);
  require(
      agreement.subprotocol.empty() || request.subprotocols.find(agreement.subprotocol) != std::string::npos,
      "what is agreed on was offered");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const std::size_t piece = std::size_t{input.byte()} + 1;
  const std::string_view bytes = input.rest();
  const HeadScanner::Found whole = scan(bytes, bytes.size() + 1);
  const HeadScanner::Found pieces = scan(bytes, piece);
  require(whole.index() == pieces.index(), "pieces are read as the whole is");
  if (const auto* end = std::get_if<std::size_t>(&whole)) {
    require(*end == std::get<std::size_t>(pieces), "a head ends in one place");
    check_head(bytes.substr(0, *end));
  }
  return 0;
}
