// FeedId: who publishes. A plain value; any thread.
#pragma once

#include <cstdint>

namespace tickwire {

using FeedId = std::uint32_t;  // 0: not published by a plugin

}  // namespace tickwire
