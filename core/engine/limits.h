// Limits: the settings limits.*, and the table that says of each limit of the server what it is, where it is
// set and where it is counted. docs/SECURITY.md has the table, and equals it by test.
//
// A default stands once: here, or in the layer that enforces the limit. Values; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "fanout/shard_config.h"
#include "hub/topic_commons.h"
#include "net/net_config.h"

namespace tickwire {

// Numbers that the configuration names limits.<member>. 0 means "no limit" only where the table says so.
struct Limits {
  // Clients of the whole plant.
  int connections_max = 0;  // as many as there are descriptors, less a reserve
  int connections_per_address_max = 4'096;
  int new_connections_per_s = 100;  // of an address
  int unauthenticated_s_max = 0;
  int commands_per_s = 10'000;  // of a session
  int commands_per_address_per_s = 50'000;
  int lists_per_s = 20;
  int lists_per_address_per_s = 100;
  int publishes_per_s = 10'000;
  int publishes_per_address_per_s = 50'000;

  // One session.
  int topics_per_command_max = static_cast<int>(ShardConfig{}.topics_per_command_max);
  int subscriptions_per_session_max = static_cast<int>(SessionConfig{}.subscriptions_max);
  int patterns_per_session_max = static_cast<int>(SessionConfig{}.patterns_max);
  int commands_pending_max = static_cast<int>(SessionConfig{}.commands_pending_max);

  // One request or message.
  int request_s_max = NetConfig{}.request_ms_max / 1'000;
  int message_bytes_max = static_cast<int>(NetConfig{}.message_bytes_max);
  int message_s_max = NetConfig{}.message_ms_max / 1'000;
  int answer_stall_s_max = NetConfig{}.answer_stall_ms_max / 1'000;

  // What the clients of one loop share: in all, and what one address may have of it.
  int requests_open_max = static_cast<int>(NetConfig{}.requests_open.total);
  int requests_open_per_address_max = static_cast<int>(NetConfig{}.requests_open.per_address);
  int answers_open_max = static_cast<int>(NetConfig{}.answers_open.total);
  int answers_open_per_address_max = static_cast<int>(NetConfig{}.answers_open.per_address);
  int unfinished_mb = static_cast<int>(NetConfig{}.unfinished_bytes.total >> 20U);
  int unfinished_per_address_mb = static_cast<int>(NetConfig{}.unfinished_bytes.per_address >> 20U);
  int waiting_mb = static_cast<int>(ShardConfig{}.waiting_bytes.total >> 20U);
  int waiting_per_address_mb = static_cast<int>(ShardConfig{}.waiting_bytes.per_address >> 20U);
  int inflater_mb = static_cast<int>(NetConfig{}.inflater_bytes.total >> 20U);
  int inflater_per_address_mb = static_cast<int>(NetConfig{}.inflater_bytes.per_address >> 20U);
  int unread_mb = static_cast<int>(NetConfig{}.unread_bytes.total >> 20U);
  int unread_per_address_mb = static_cast<int>(NetConfig{}.unread_bytes.per_address >> 20U);
  int outbox_mb = static_cast<int>(ShardConfig{}.outbox_bytes.total >> 20U);
  int outbox_per_address_mb = static_cast<int>(ShardConfig{}.outbox_bytes.per_address >> 20U);

  // The plant.
  int topics_max = static_cast<int>(HubLimits{}.topics_max);
  int patterns_max = static_cast<int>(HubLimits{}.patterns_max);
  int images_mb = static_cast<int>(HubLimits{}.image_bytes_max >> 20U);
  int memory_mb = 0;  // three quarters of what the machine or its control group has
};

// What the layers are told of them.
void apply_limits(const Limits& limits, NetConfig& net);
void apply_limits(const Limits& limits, ShardConfig& shard);
HubLimits hub_limits(const Limits& limits);
RateLimits rate_limits(const Limits& limits);
ConnectionGate::Limits gate_limits(const Limits& limits);

// One line of the table.
struct LimitRow {
  std::string name;  // as the configuration has it, or what the documents call one that is fixed
  std::string unit;
  std::string value;   // the default
  std::string key;     // empty: it is fixed
  std::string beyond;  // what happens past it
};
// All of them: first those that can be set, in the order of the configuration's keys.
std::vector<LimitRow> limit_rows();

}  // namespace tickwire
