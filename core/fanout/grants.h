// Grants: until when authorizers allowed what (Allow(ttl=...)). Loop thread.
// Invariant: one expiry for each grant, the last one told. Those of sessions that ended go with their expiry.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "fanout/session_table.h"

namespace tickwire {

struct Grant {
  SessionRef session;
  std::string topic;
  auto operator<=>(const Grant&) const = default;
};

class Grants {
 public:
  void expire_at(std::int64_t expires_us, const Grant& grant) {
    const auto [entry, fresh] = expiries_.try_emplace(grant, expires_us);
    if (!fresh) by_time_.erase({entry->second, &entry->first});
    entry->second = expires_us;
    by_time_.emplace(expires_us, &entry->first);
  }

  // Lasts for ever, or is over.
  void forget(const Grant& grant) {
    const auto entry = expiries_.find(grant);
    if (entry == expiries_.end()) return;
    by_time_.erase({entry->second, &entry->first});
    expiries_.erase(entry);
  }

  std::vector<Grant> take_expired(std::int64_t now_us) {
    std::vector<Grant> out;
    while (!by_time_.empty() && by_time_.begin()->first <= now_us) {
      const auto entry = expiries_.find(*by_time_.begin()->second);
      by_time_.erase(by_time_.begin());
      out.push_back(std::move(expiries_.extract(entry).key()));
    }
    return out;
  }

 private:
  std::map<Grant, std::int64_t> expiries_;
  std::set<std::pair<std::int64_t, const Grant*>> by_time_;  // into expiries_
};

}  // namespace tickwire
