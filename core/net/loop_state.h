// LoopState: what the connections of one loop share. Loop thread only, after construction.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "fanout/shard.h"
#include "net/deadline_list.h"
#include "net/http_message.h"
#include "net/http_router.h"
#include "net/net_config.h"

namespace tickwire {

class Connection;

// A request whose answer other loops work on.
struct AwaitedAnswer {
  Connection* client = nullptr;
  HttpRequest request;
};

struct LoopState {
  LoopState(const NetConfig& config, const Clock& clock, Shard& shard, HttpRouter router)
      : config(config),
        clock(clock),
        shard(shard),
        router(std::move(router)),
        requests(config.request_ms_max),
        answers(config.answer_stall_ms_max),
        pings(config.ping_after_ms),
        pongs(config.pong_ms_max),
        closes(config.close_ms_max) {}

  const NetConfig& config;
  const Clock& clock;
  Shard& shard;
  const HttpRouter router;
  bool draining = false;

  // What a connection waits for; see Connection.
  DeadlineList requests;
  DeadlineList answers;
  DeadlineList pings;
  DeadlineList pongs;
  DeadlineList closes;

  std::vector<Connection*> connections;  // owned; each knows its place
  std::size_t inflater_bytes = 0;        // what they hold to inflate messages
  std::size_t answering = 0;             // of them, with an HTTP answer under way
  // By number, while its client is there:
  std::unordered_map<std::uint64_t, AwaitedAnswer> awaited;
  std::uint64_t last_awaited = 0;
};

}  // namespace tickwire
