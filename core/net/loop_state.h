// LoopState: what the connections of one loop share. Loop thread only, after construction.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/shares.h"
#include "fanout/shard.h"
#include "net/admin_router.h"
#include "net/http_router.h"
#include "net/loop_timer.h"
#include "net/lws_context.h"
#include "net/net_config.h"
#include "net/poller.h"

namespace tickwire {

class Connection;
class EventStream;
class HttpConnection;
class ProxiedConnection;

struct LoopState {
  LoopState(const NetConfig& config, const Clock& clock, Shard& shard, LwsContext& context, HttpRouter site)
      : config(config),
        clock(clock),
        shard(shard),
        context(context),
        router(std::move(site)),
        admin(router, config.admin_token),
        requests_open(config.requests_open,
                      {Limit::kRequestsOpen, Limit::kRequestsOpenPerAddress, Limit::kRequestsOpen}),
        answers_open(config.answers_open,
                     {Limit::kAnswersOpen, Limit::kAnswersOpenPerAddress, Limit::kAnswersOpen}),
        inflater_bytes(config.inflater_bytes,
                       {Limit::kInflater, Limit::kInflaterPerAddress, Limit::kInflaterPerConnection}),
        unfinished_bytes(config.unfinished_bytes,
                         {Limit::kUnfinished, Limit::kUnfinishedPerAddress, Limit::kUnfinishedPerConnection}),
        unread_bytes(config.unread_bytes,
                     {Limit::kUnread, Limit::kUnreadPerAddress, Limit::kUnreadPerConnection}) {}

  // Whether another client may compress what it sends: up to half of the memory for it, so that those who do
  // already can go on.
  [[nodiscard]] bool room_to_inflate(PeerAddress address) const {
    const ShareLimits& limits = inflater_bytes.limits();
    return 2 * inflater_bytes.held() <= limits.total &&
           2 * inflater_bytes.held_by(address) <= limits.per_address;
  }

  // A limit was in the way of a client.
  void count(Limit limit) const { shard.counters().count(limit); }

  void start_timer(LoopTimer& timer, int wait_ms) {
    timers.start(timer, clock.steady_us() + std::int64_t{wait_ms} * 1000);
  }

  // A request with that number goes on, if its client is still there.
  void look_at(std::uint64_t number);

  // Up to a quarter less, by chance, so that those who came together do not go on together.
  int spread(int wait_ms) {
    return wait_ms - static_cast<int>(chance() % (static_cast<unsigned>(wait_ms) / 4 + 1));
  }

  const NetConfig& config;
  const Clock& clock;
  Shard& shard;
  LwsContext& context;
  const HttpRouter router;
  const AdminRouter admin;
  Poller poller;
  TimerHeap timers;  // of LoopTimers
  std::minstd_rand chance;
  bool draining = false;
  // Steps of TLS handshakes that may be made before the loop does something else. What is left waits in its
  // socket, and the poller tells of it again.
  int handshakes_left = 0;

  Shares requests_open;
  Shares answers_open;
  Shares inflater_bytes;
  Shares unfinished_bytes;
  Shares unread_bytes;

  std::vector<Connection*> connections;            // owned; each knows its place
  std::unordered_set<HttpConnection*> http;        // owned
  std::unordered_set<EventStream*> streams;        // owned
  std::unordered_set<ProxiedConnection*> proxied;  // owned
  std::int64_t preamble_warned_us = 0;             // when the log was last told of one that was refused
  // By number, those whose answer other loops work on, while they are there:
  std::unordered_map<std::uint64_t, HttpConnection*> awaited;
  std::uint64_t last_awaited = 0;
};

}  // namespace tickwire
