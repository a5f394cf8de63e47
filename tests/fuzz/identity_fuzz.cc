// Who a request says that its client is: headers and cookies, as any client writes them.
#include "net/identity.h"

#include <algorithm>
#include <string>
#include <variant>

#include "fuzz.h"

using tickwire::fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tickwire;
  fuzz::Input input(data, size);
  static const IdentityRules kRules{"token", {"x-user"}, {"sid"}};
  RequestHead head;
  while (!input.empty()) {
    const std::string_view line = input.until('\n');
    const std::size_t colon = std::min(line.find(':'), line.size());
    head.headers.emplace_back(line.substr(0, colon), line.substr(std::min(colon + 1, line.size())));
  }
  const auto foreign = identify(head, kRules, false);
  const auto* other = std::get_if<Identity>(&foreign);
  require(other != nullptr, "cookies of another page are not looked at");
  require(other->request == nullptr || other->request->cookies.empty(), "and never count");
  require(other->token.empty() || !head.header("authorization").empty(), "nor as a token");
  const auto named = identify(head, kRules, true);
  if (const auto* own = std::get_if<Identity>(&named)) {
    require(other->token.empty() || own->token == other->token, "a header goes before a cookie");
    const auto cookies = own->request == nullptr ? ClientRequest::Fields() : own->request->cookies;
    require(cookies.size() <= 1, "what counts is there once");
    for (const auto& [name, value] : cookies) {
      require(name == "sid" && value.find(';') == std::string::npos, "a cookie ends at its semicolon");
    }
  }
  return 0;
}
