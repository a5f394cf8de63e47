// TokenGrant: what a token that was verified lets its bearer do, until when. Immutable; shared by the session
// and what it asks for. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>
#include "base/error.h"
#include "model/pattern_filter.h"
#include "model/topic_name.h"

namespace tickwire {

struct TokenGrant {
  // As many as fit into a token.
  std::vector<Pattern> subscribe;
  PatternSetPtr seen;  // the same, for parts of patterns
  std::vector<Pattern> publish;
  double max_rate = 0;          // messages a second of a subscription that it allows; 0: every update
  std::int64_t expires_ms = 0;  // wall clock; the leeway is counted in
  std::string subject;          // the token's `sub`; empty: it has none

  // `text`: a valid topic or pattern. A pattern only where one pattern of the list covers all of it.
  [[nodiscard]] bool lets_subscribe(std::string_view text) const;
  [[nodiscard]] bool lets_publish(std::string_view topic) const;
};

// What the member `claim` of `claims` grants: {"subscribe": [patterns], "publish": [patterns], "max_rate":
// n}, each optional. Absent: nothing is granted. expires_ms and subject are left to the caller. kDenied,
// naming the member: one has another type, a pattern is none, or a member is not known (a misspelled limit
// must not be no limit).
Result<TokenGrant> read_grant(const nlohmann::json& claims, const std::string& claim);

}  // namespace tickwire
