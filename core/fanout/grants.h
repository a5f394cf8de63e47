// Grants: until when authorizers allowed what (Allow(ttl=...)). Loop thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "fanout/session_table.h"

namespace tickwire {

struct Grant {
  SessionRef session;
  std::string topic;
};

class Grants {
 public:
  void add(std::int64_t expires_us, Grant grant) { by_time_.emplace(expires_us, std::move(grant)); }

  std::vector<Grant> take_expired(std::int64_t now_us) {
    std::vector<Grant> out;
    const auto end = by_time_.upper_bound(now_us);
    for (auto it = by_time_.begin(); it != end; ++it) out.push_back(std::move(it->second));
    by_time_.erase(by_time_.begin(), end);
    return out;
  }

 private:
  std::multimap<std::int64_t, Grant> by_time_;
};

}  // namespace tickwire
