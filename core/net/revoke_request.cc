#include "net/revoke_request.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>

#include "access/unique_json.h"
#include "net/header_text.h"

namespace tickwire {
namespace {

HttpResponse wrong_request(int status, ErrorCode code, std::string message, std::string field = "",
                           std::optional<Limit> limit = {}) {
  return tickwire::error_response(status, {code, std::move(message), std::move(field), limit});
}

Error bad_body(std::string message, std::string field = "") {
  return {ErrorCode::kBadMessage, std::move(message), std::move(field)};
}

}  // namespace

std::optional<HttpResponse> check_revoke(const RequestHead& head) {
  if (head.method != "POST") {
    HttpResponse wrong = wrong_request(405, ErrorCode::kUnknownCommand, "only POST is answered here");
    wrong.headers = "Allow: POST\r\n";
    return wrong;
  }
  const std::string kind = head.header("content-type");
  if (!equals_ignoring_case(trimmed(std::string_view(kind).substr(0, kind.find(';'))), "application/json")) {
    return wrong_request(415, ErrorCode::kBadMessage, "Content-Type: must be application/json",
                         "Content-Type");
  }
  if (head.chunked)
    return wrong_request(411, ErrorCode::kBadMessage, "Content-Length: is required", "Content-Length");
  if (head.body_bytes <= kRevokeBodyBytesMax) return std::nullopt;
  return wrong_request(
      413, ErrorCode::kTooLarge,
      fmt::format("the body has {} bytes, at most {} are allowed", head.body_bytes, kRevokeBodyBytesMax));
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
