#include "net/posted_body.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>
#include <utility>

#include "net/header_text.h"

namespace tickwire {
namespace {

Posted refused(int status, const Error& error, std::string_view allow = {}) {
  return {.refusal = error_response(status, error, allow)};
}

}  // namespace

Posted check_posted(const RequestHead& head, const BodyRules& rules) {
  if (head.method != "POST")
    return refused(405, {ErrorCode::kUnknownCommand, "only POST is answered here", ""}, rules.allow);
  const std::string field = head.header("content-type");
  const std::string_view type = trimmed(std::string_view(field).substr(0, field.find(';')));
  const auto found = std::ranges::find_if(
      rules.types, [type](std::string_view known) { return equals_ignoring_case(type, known); });
  if (found == rules.types.end()) {
    return refused(
        415, {ErrorCode::kBadMessage, fmt::format("Content-Type: must be {}", fmt::join(rules.types, " or ")),
              "Content-Type"});
  }
  if (head.chunked || !head.find_header("content-length"))
    return refused(411, {ErrorCode::kBadMessage, "Content-Length: is required", "Content-Length"});
  if (head.body_bytes == 0) return refused(400, {ErrorCode::kBadMessage, "the body is empty", ""});
  if (head.body_bytes > rules.bytes_max) {
    return refused(
        413, {ErrorCode::kTooLarge,
              fmt::format("the body has {} bytes, at most {} are allowed", head.body_bytes, rules.bytes_max),
              "", rules.limit});
  }
  return {.type = static_cast<std::size_t>(found - rules.types.begin())};
}

}  // namespace tickwire
