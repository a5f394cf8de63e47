// What a proxy writes first, in pieces as a socket gives them.
#include "net/proxy_protocol.h"

#include <algorithm>
#include <variant>

#include "fuzz.h"

using tickwire::fuzz::require;

namespace {

using namespace tickwire;

ParsedPreamble parse(std::string_view bytes, std::size_t piece) {
  for (std::size_t end = piece;; end += piece) {
    const ParsedPreamble parsed = parse_proxy_preamble(bytes.substr(0, std::min(end, bytes.size())));
    if (!std::holds_alternative<std::monostate>(parsed) || end >= bytes.size()) return parsed;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const std::size_t piece = std::size_t{input.byte()} + 1;
  const std::string_view bytes = input.rest();
  const ParsedPreamble whole = parse(bytes, bytes.size() + 1);
  const ParsedPreamble pieces = parse(bytes, piece);
  require(whole.index() == pieces.index(), "pieces are read as the whole is");
  if (std::holds_alternative<std::monostate>(whole)) {
    require(bytes.size() < kProxyPreambleBytesMax, "nobody waits for what can never end");
  }
  if (const auto* preamble = std::get_if<ProxyPreamble>(&whole)) {
    require(preamble->size <= bytes.size() && preamble->size <= kProxyPreambleBytesMax,
            "its size is bounded");
    const auto& again = std::get<ProxyPreamble>(pieces);
    require(preamble->size == again.size && preamble->client == again.client, "pieces say the same");
  }
  return 0;
}
