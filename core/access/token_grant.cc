#include "access/token_grant.h"

#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "access/pattern_cover.h"
#include "protocol/command.h"

namespace tickwire {
namespace {

using nlohmann::json;

Error bad_grant(const std::string& claim, std::string_view member, std::string_view what) {
  return {ErrorCode::kDenied,
          claim + (member.empty() ? "" : ".") + std::string(member) + " in its claims " + std::string(what),
          ""};
}

Status read_patterns(const std::string& claim, std::string_view member, const json& value,
                     std::vector<Pattern>& out) {
  if (!value.is_array()) return bad_grant(claim, member, "must be an array of patterns");
  for (const json& item : value) {
    const Result<Pattern> pattern = item.is_string() ? Pattern::parse(item.get_ref<const std::string&>())
                                                     : Result<Pattern>(Error{ErrorCode::kBadTopic, "", ""});
    if (!pattern) return bad_grant(claim, member, "must be an array of patterns, and one of them is none");
    out.push_back(*pattern);
  }
  return ok_status();
}

Status read_max_rate(const std::string& claim, const json& value, double& out) {
  if (value.is_number()) out = value.get<double>();
  if (value.is_number() && out >= kMaxRateMin && out <= kMaxRateMax) return ok_status();
  return bad_grant(claim, "max_rate",
                   "must be a number from " + json(kMaxRateMin).dump() + " to " + json(kMaxRateMax).dump());
}

}  // namespace

bool TokenGrant::lets_subscribe(std::string_view text) const {
  return covers(subscribe, text);
}

bool TokenGrant::lets_publish(std::string_view topic) const {
  return covers(publish, topic);
}

Result<TokenGrant> read_grant(const json& claims, const std::string& claim) {
  TokenGrant grant;
  const auto found = claims.find(claim);
  if (found == claims.end()) return grant;
  if (!found->is_object()) return bad_grant(claim, "", "must be an object");
  for (const auto& [member, value] : found->items()) {
    Status read = ok_status();
    if (member == "subscribe") {
      read = read_patterns(claim, member, value, grant.subscribe);
    } else if (member == "publish") {
      read = read_patterns(claim, member, value, grant.publish);
    } else if (member == "max_rate") {
      read = read_max_rate(claim, value, grant.max_rate);
    } else {
      read = bad_grant(claim, "", "has a member that is not known; there are subscribe, publish, max_rate");
    }
    if (!read) return read.error();
  }
  grant.seen = std::make_shared<const PatternSet>(grant.subscribe);
  return grant;
}

}  // namespace tickwire
