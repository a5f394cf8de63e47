// FeedId: who publishes. A plain value; any thread.
#pragma once

#include <cstdint>
#include <limits>

namespace tickwire {

using FeedId = std::uint32_t;  // 0: not published by a plugin
// By a client, which an operator's halt refuses. To whom it does not matter it is 0.
inline constexpr FeedId kClientFeed = std::numeric_limits<FeedId>::max();

}  // namespace tickwire
