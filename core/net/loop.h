// Loop: one shard's thread: a libwebsockets context, a listener of its own for each address (SO_REUSEPORT),
// and the Shard that they drive.
//
// open(), start() and stop() from the owner's thread, the first two once; drain(), port() and shard() from
// any after open(). Owns the thread, the sockets and the shard; hub, clock, access and source outlive it.
// Invariant: the context and everything in it is touched on the loop thread only, from start() to its end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/clock.h"
#include "base/error.h"
#include "base/loop_pulse.h"
#include "fanout/access.h"
#include "fanout/shard.h"
#include "hub/hub.h"
#include "net/door.h"
#include "net/http_source.h"
#include "net/net_config.h"

namespace tickwire {

class Loop {
 public:
  Loop(Hub& hub, const Clock& clock, Access& access, const ShardConfig& shard, NetConfig net,
       HttpSource& source);
  ~Loop();  // stops
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Binds and listens; nobody is accepted before start(). kListen.
  Status open();
  // Serves admins from a listening socket, too, which it owns from now on. Between open() and start().
  // kInternal.
  Status serve_admin(int socket, Door door);
  void start();
  // Accepts no more, answers HTTP with 503, and says drain to every session.
  void drain(int spread_ms, Shard::Drained whom = Shard::Drained::kEverybody);
  // Closes every connection (1001, after what was written), waits for them stop_ms_max at most, joins. Admins
  // are answered to the end, and not waited for.
  // Idempotent.
  void stop();

  // The port of the address at `index` in NetConfig::listen, after open().
  [[nodiscard]] std::uint16_t port(std::size_t index = 0) const;
  Shard& shard();
  [[nodiscard]] const LoopPulse& pulse();  // any thread

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tickwire
