// cluster_keys: what the configuration keys cluster.* mean to those who use them. No state; any thread.
#pragma once

#include "base/error.h"
#include "cluster/member.h"
#include "engine/config.h"
#include "redis/redis_url.h"

namespace tickwire {

inline constexpr std::size_t kClusterNameBytesMax = 64;

// kBadConfig: they do not go together, or not with the rest.
Status check_cluster_keys(const Config& config);
// Both need a config that was checked; the first one, that it has a cluster.url.
redis::RedisUrl cluster_url(const Config& config);
cluster::MemberRules cluster_rules(const Config& config);

}  // namespace tickwire
