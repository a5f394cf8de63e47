#include "engine/limits.h"

namespace tickwire {
namespace {

std::size_t bytes_of(int megabytes) {
  return static_cast<std::size_t>(megabytes) << 20U;
}

void share(ShareLimits& limits, int total_mb, int per_address_mb) {
  limits.total = bytes_of(total_mb);
  limits.per_address = bytes_of(per_address_mb);
}

}  // namespace

void apply_limits(const Limits& limits, NetConfig& net) {
  net.message_bytes_max = static_cast<std::size_t>(limits.message_bytes_max);
  net.request_ms_max = limits.request_s_max * 1'000;
  net.message_ms_max = limits.message_s_max * 1'000;
  net.answer_stall_ms_max = limits.answer_stall_s_max * 1'000;
  net.requests_open.total = static_cast<std::size_t>(limits.requests_open_max);
  net.requests_open.per_address = static_cast<std::size_t>(limits.requests_open_per_address_max);
  net.answers_open.total = static_cast<std::size_t>(limits.answers_open_max);
  net.answers_open.per_address = static_cast<std::size_t>(limits.answers_open_per_address_max);
  share(net.unfinished_bytes, limits.unfinished_mb, limits.unfinished_per_address_mb);
  share(net.inflater_bytes, limits.inflater_mb, limits.inflater_per_address_mb);
  share(net.unread_bytes, limits.unread_mb, limits.unread_per_address_mb);
}

void apply_limits(const Limits& limits, ShardConfig& shard) {
  share(shard.waiting_bytes, limits.waiting_mb, limits.waiting_per_address_mb);
  share(shard.outbox_bytes, limits.outbox_mb, limits.outbox_per_address_mb);
  shard.topics_per_command_max = static_cast<std::size_t>(limits.topics_per_command_max);
  shard.unauthenticated_ms_max = std::int64_t{limits.unauthenticated_s_max} * 1'000;
  shard.rates = rate_limits(limits);
  shard.session.subscriptions_max = static_cast<std::size_t>(limits.subscriptions_per_session_max);
  shard.session.patterns_max = static_cast<std::size_t>(limits.patterns_per_session_max);
  shard.session.commands_pending_max = static_cast<std::size_t>(limits.commands_pending_max);
}

HubLimits hub_limits(const Limits& limits) {
  return {.topics_max = static_cast<std::size_t>(limits.topics_max),
          .patterns_max = static_cast<std::size_t>(limits.patterns_max),
          .image_bytes_max = bytes_of(limits.images_mb)};
}

ConnectionGate::Limits gate_limits(const Limits& limits) {
  return {.total = static_cast<std::size_t>(limits.connections_max),
          .per_address = static_cast<std::size_t>(limits.connections_per_address_max),
          .new_connections = {limits.new_connections_per_s}};
}

RateLimits rate_limits(const Limits& limits) {
  return {.session = {{{limits.commands_per_s}, {limits.lists_per_s}, {limits.publishes_per_s}}},
          .address = {{{limits.commands_per_address_per_s},
                       {limits.lists_per_address_per_s},
                       {limits.publishes_per_address_per_s}}}};
}

}  // namespace tickwire
