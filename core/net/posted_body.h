// check_posted: whether a request posts a body that can be read: its method, its content type, its length.
// Pure; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "base/limit.h"
#include "net/http_message.h"
#include "net/request_head.h"

namespace tickwire {

// What one address takes.
struct BodyRules {
  std::string_view allow;                   // the methods that it answers, for a 405
  std::span<const std::string_view> types;  // content types; a page of another site is asked for them (CORS)
  std::size_t bytes_max;
  std::optional<Limit> limit = {};  // that `bytes_max` is
};

struct Posted {
  std::size_t type = 0;  // which of the content types it has
  std::optional<HttpResponse> refusal = {};
};
Posted check_posted(const RequestHead& head, const BodyRules& rules);

}  // namespace tickwire
