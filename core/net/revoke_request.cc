#include "net/revoke_request.h"

#include <array>
#include <nlohmann/json.hpp>
#include <string>

#include "access/unique_json.h"
#include "net/posted_body.h"

namespace tickwire {
namespace {

Error bad_body(std::string message, std::string field = "") {
  return {ErrorCode::kBadMessage, std::move(message), std::move(field)};
}

}  // namespace

std::optional<HttpResponse> check_revoke(const RequestHead& head) {
  static constexpr std::array<std::string_view, 1> kTypes{"application/json"};
  return check_posted(head, {"POST", kTypes, kRevokeBodyBytesMax}).refusal;
}

Result<RevokeTarget> read_revoke(std::string_view body) {
  const Result<nlohmann::json> fields = parse_unique_json(body, kRevokeBodyBytesMax);
  if (!fields) return bad_body("the body " + fields.error().message);
  RevokeTarget target;
  for (const auto& [name, value] : fields->items()) {
    if (name != "subject" && name != "session")
      return bad_body("the body has a member that is not known; there are subject and session");
    if (!value.is_string()) return bad_body(name + ": must be a text", name);
    (name == "subject" ? target.subject : target.session) = value.get<std::string>();
  }
  if (const Status checked = check_target(target); !checked) return checked.error();
  return target;
}

}  // namespace tickwire
