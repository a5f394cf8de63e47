// ClusterStats: how a server's part in its cluster is. Values; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tickwire {

struct ClusterStats {
  std::string_view state;  // loading, reaching, following, leaving
  bool serves = false;
  bool cut_off = false;
  std::string node;
  std::string engine;
  std::uint64_t position = 0;
  std::uint64_t head = 0;
  std::uint64_t outbox_bytes = 0;
  std::uint64_t reloads = 0;
  std::uint64_t seeds = 0;
  std::uint64_t fenced = 0;
};

}  // namespace tickwire
