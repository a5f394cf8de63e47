#include "engine/cluster_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>

namespace tickwire {
namespace {

Error wrong_key(const Config& config, std::string_view key, std::string_view what) {
  return with_source(config, {ErrorCode::kBadConfig, fmt::format("{}: {}", key, what), std::string(key)});
}

bool is_cluster_name(std::string_view text) {
  const auto fits = [](char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
           byte == '-' || byte == '_' || byte == '.';
  };
  return !text.empty() && text.size() <= kClusterNameBytesMax && std::ranges::all_of(text, fits);
}

}  // namespace

Status check_cluster_keys(const Config& config) {
  if (!is_cluster_name(config.cluster_name)) {
    return wrong_key(config, "cluster.name",
                     fmt::format("\"{}\" is no name; it takes 1 to {} letters, digits and - _ .",
                                 config.cluster_name, kClusterNameBytesMax));
  }
  if (config.cluster_url.empty()) return ok_status();
  if (const auto url = redis::RedisUrl::parse(config.cluster_url.reveal()); !url)
    return with_source(config, url.error());
  if (config.store_path.empty()) return ok_status();
  return wrong_key(config, "store.path",
                   "it does not go with cluster.url, where the cluster keeps the topics; leave one out");
}

redis::RedisUrl cluster_url(const Config& config) {
  return redis::RedisUrl::parse(config.cluster_url.reveal()).value();
}

cluster::MemberRules cluster_rules(const Config& config) {
  using std::chrono::microseconds;
  cluster::MemberRules rules;
  rules.loss_us = microseconds(config.cluster_loss).count();
  rules.outbox_bytes_max = static_cast<std::size_t>(config.cluster_outbox_mb) << 20U;
  rules.checkpoint.every_us = microseconds(config.cluster_checkpoint).count();
  rules.checkpoint.log_us = microseconds(config.cluster_log).count();
  rules.checkpoint.log_bytes = static_cast<std::size_t>(config.cluster_log_mb) << 20U;
  return rules;
}

}  // namespace tickwire
