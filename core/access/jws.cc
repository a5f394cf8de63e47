#include "access/jws.h"

#include <optional>
#include <utility>

#include "access/base64url.h"
#include "access/jwks.h"
#include "access/unique_json.h"
#include "protocol/command.h"

namespace tickwire {
namespace {

using nlohmann::json;

Error bad_token(std::string what) {
  return {ErrorCode::kBadMessage, std::move(what), ""};
}

}  // namespace

Result<Jws> read_jws(std::string_view token) {
  if (token.size() > kTokenBytesMax)
    return bad_token("is longer than " + std::to_string(kTokenBytesMax) + " bytes");
  const std::size_t first = token.find('.');
  const std::size_t second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos) {
    return bad_token("is not a JSON Web Token: it has not three parts");
  }
  const std::optional<std::string> header = decode_base64url(token.substr(0, first));
  std::optional<std::string> payload = decode_base64url(token.substr(first + 1, second - first - 1));
  std::optional<std::string> signature = decode_base64url(token.substr(second + 1));
  if (!header || !payload || !signature) return bad_token("is not a JSON Web Token: a part is not base64url");
  const Result<json> fields = parse_unique_json(*header, kTokenBytesMax);
  if (!fields) return bad_token("its header " + fields.error().message);
  if (fields->contains("crit")) return bad_token("its header has crit, and nothing of that is known here");
  const auto algorithm = fields->find("alg");
  if (algorithm == fields->end() || !algorithm->is_string()) return bad_token("its header has no alg");
  Jws jws{
      token.substr(0, second), algorithm->get<std::string>(), {}, std::move(*payload), std::move(*signature)};
  if (const auto id = fields->find("kid"); id != fields->end()) {
    if (id->is_string()) jws.key_id = id->get<std::string>();
    if (jws.key_id.empty() || jws.key_id.size() > kKeyIdBytesMax) {
      return bad_token("its kid must be a text of 1 to " + std::to_string(kKeyIdBytesMax) + " bytes");
    }
  }
  return jws;
}

}  // namespace tickwire
