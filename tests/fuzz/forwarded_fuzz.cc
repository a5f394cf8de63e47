// Who sent a request, as headers of proxies and what their clients put in front of them say.
#include "net/forwarded.h"

#include <string>
#include <variant>

#include "fuzz.h"

using tickwire::fuzz::require;

namespace {

using namespace tickwire;

const ProxyRules& rules(ProxyHeader header) {
  static const auto make = [](ProxyHeader of) {
    ProxyRules rules;
    rules.header = of;
    for (const char* network : {"10.0.0.0/8", "fd00::/8"})
      rules.trusted.push_back(*IpNetwork::parse(network));
    return rules;
  };
  static const ProxyRules kList = make(ProxyHeader::kXForwardedFor);
  static const ProxyRules kElements = make(ProxyHeader::kForwarded);
  return header == ProxyHeader::kForwarded ? kElements : kList;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const ProxyHeader header = input.byte() % 2 == 0 ? ProxyHeader::kXForwardedFor : ProxyHeader::kForwarded;
  const std::string name = header == ProxyHeader::kForwarded ? "forwarded" : "x-forwarded-for";
  RequestHead head;
  while (!input.empty()) head.headers.emplace_back(name, std::string(input.until('\n')));
  const ClientAddress peer{Endpoint{*IpAddress::parse("10.0.0.1"), 9}, false};
  const auto found = find_client(head, peer, rules(header));
  if (const auto* client = std::get_if<ClientAddress>(&found)) {
    require(client->endpoint.has_value(), "somebody is the client");
    if (client->proxied) require(!client->counted().exempt(), "nobody whom a proxy names is exempt");
    require(client->proxied || client->endpoint == peer.endpoint, "who is not named is the peer");
  }
  // Whatever a client wrote: the line that its proxy adds decides.
  head.headers.emplace_back(name,
                            header == ProxyHeader::kForwarded ? "for=\"203.0.113.7:80\"" : "203.0.113.7:80");
  const auto named = find_client(head, peer, rules(header));
  const auto* client = std::get_if<ClientAddress>(&named);
  require(client != nullptr && client->text() == "203.0.113.7:80", "the proxy's own line decides");
  return 0;
}
