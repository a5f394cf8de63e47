// Shard: one loop thread's part of the plant: its sessions, the topics they want, and the turn that carries
// updates to them. Knows no thread, socket or wall clock: net/ drives it, tests drive it with fakes.
//
// Thread: everything on the shard's loop thread, except what says "any thread". Owns its sessions; the hub,
// clock, access and sockets outlive it.
// Invariants: last_ of a topic is the newest update taken from the inbox, so a snapshot is that update's
// image and subscribing is atomic by construction. A topic reaches a session at most once per update.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/loop_pulse.h"
#include "base/work.h"
#include "fanout/access.h"
#include "fanout/session_report.h"
#include "fanout/shard_config.h"
#include "fanout/shard_stats.h"
#include "hub/hub.h"
#include "session/session.h"
#include "session/socket.h"

namespace tickwire {

class Shard {
 public:
  // `wake` is called from any thread when run() should be called soon; it must not wait.
  Shard(Hub& hub, const Clock& clock, Access& access, ShardConfig config, std::function<void()> wake);
  ~Shard();

  // --- driven by net/ ---------------------------------------------------------------------------------
  // Welcomes a client. `socket` outlives on_closed.
  Session& open(Socket& socket, ClientInfo client, const Framing& framing = {});
  // One whole message in the session's format; a text is already known to be UTF-8.
  void on_message(Session& session, std::string_view message);
  // The socket has room again after a kBlocked.
  void on_writable(Session& session);
  // The connection is gone, and `session` with it. What its subscriptions hold is given back in pieces.
  void on_closed(Session& session);
  // Posted calls, then a turn when one is due. Returns the microseconds after which it wants to be called
  // again at the latest, < 0: only when woken. What other calls leave to be done is done here, so it is
  // called after them, before net/ waits.
  std::int64_t run();
  // Heartbeats and age limits that are due, a bounded share of them.
  void tick();
  // When to call tick() next, on the steady clock; < 0: never. Changes with each other call.
  [[nodiscard]] std::int64_t next_tick_us() const;
  // Work of net/ that is done in pieces, the first one at once; true: it is done.
  void start(std::function<bool(const Budget&)> piece);
  [[nodiscard]] SessionList list_sessions(const SessionsQuery& query) const;
  // Says drain to everyone, with reconnect_after spread over [0, spread_ms], and closes them; in pieces, the
  // first one at once. draining(): some have yet to be told.
  void drain(int spread_ms);
  [[nodiscard]] bool draining() const;
  // After an exception came out of run() or tick(): whatever it was about is in doubt, so all sessions are
  // closed with 1001, and their clients resume.
  void recover();
  // The loop ends: closes the sessions still there (in-process ones: a connection ended with its socket) and
  // runs what is posted; from then on post() takes nothing. Idempotent.
  void stop();

  // --- any thread -------------------------------------------------------------------------------------
  bool post(std::function<void()> call);  // runs on the loop thread, in order; false: stopped, it never will
  void answer(AccessAnswer answer);
  [[nodiscard]] ShardStats stats() const;
  // Written on the loop thread only: by the shard for what it does, by net/ for the rest.
  [[nodiscard]] ShardCounters& counters() const;
  // Set on the loop thread only: by the shard for what it does, by net/ for the rest.
  [[nodiscard]] LoopPulse& pulse();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tickwire
