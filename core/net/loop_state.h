// LoopState: what the connections of one loop share. Loop thread only, after construction.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/shares.h"
#include "fanout/shard.h"
#include "net/admin_router.h"
#include "net/deadline_list.h"
#include "net/http_router.h"
#include "net/lws_context.h"
#include "net/net_config.h"
#include "net/poller.h"

namespace tickwire {

class Connection;
class HttpConnection;

struct LoopState {
  LoopState(const NetConfig& config, const Clock& clock, Shard& shard, LwsContext& context, HttpRouter site)
      : config(config),
        clock(clock),
        shard(shard),
        context(context),
        router(std::move(site)),
        admin(router, config.admin_token),
        requests(config.request_ms_max),
        answers(config.answer_stall_ms_max),
        lingers(config.linger_ms_max),
        pings(config.ping_after_ms),
        pongs(config.pong_ms_max),
        closes(config.close_ms_max),
        messages(config.message_ms_max),
        requests_open(config.requests_open),
        answers_open(config.answers_open),
        inflater_bytes(config.inflater_bytes),
        unfinished_bytes(config.unfinished_bytes),
        unread_bytes(config.unread_bytes) {}

  // Whether another client may compress what it sends: up to half of the memory for it, so that those who do
  // already can go on.
  [[nodiscard]] bool room_to_inflate(PeerAddress address) const {
    const ShareLimits& limits = inflater_bytes.limits();
    return 2 * inflater_bytes.held() <= limits.total &&
           2 * inflater_bytes.held_by(address) <= limits.per_address;
  }

  const NetConfig& config;
  const Clock& clock;
  Shard& shard;
  LwsContext& context;
  const HttpRouter router;
  const AdminRouter admin;
  Poller poller;
  bool draining = false;

  // What an HttpConnection waits for:
  DeadlineList requests;
  DeadlineList answers;
  DeadlineList lingers;
  // What a Connection waits for:
  DeadlineList pings;
  DeadlineList pongs;
  DeadlineList closes;
  DeadlineList messages;  // and, besides, the rest of one

  Shares requests_open;
  Shares answers_open;
  Shares inflater_bytes;
  Shares unfinished_bytes;
  Shares unread_bytes;

  std::vector<Connection*> connections;      // owned; each knows its place
  std::unordered_set<HttpConnection*> http;  // owned
  // By number, those whose answer other loops work on, while they are there:
  std::unordered_map<std::uint64_t, HttpConnection*> awaited;
  std::uint64_t last_awaited = 0;
};

}  // namespace tickwire
