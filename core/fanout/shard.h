// Shard: one loop thread's part of the plant: its sessions, the topics they want, and the turn that carries
// updates to them. Knows no thread, socket or wall clock: net/ drives it, tests drive it with fakes.
//
// Thread: everything on the shard's loop thread, except what says "any thread". Owns its sessions; the hub,
// clock, access and sockets outlive it.
// Invariants: last_ of a topic is the newest update taken from the inbox, so a snapshot is that update's
// image and subscribing is atomic by construction. A topic reaches a session at most once per update.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/loop_pulse.h"
#include "base/work.h"
#include "fanout/access.h"
#include "fanout/admission.h"
#include "fanout/commands.h"
#include "fanout/inbox.h"
#include "fanout/jobs.h"
#include "fanout/keep_alive.h"
#include "fanout/leases.h"
#include "fanout/overlap.h"
#include "fanout/posted_calls.h"
#include "fanout/sender.h"
#include "fanout/session_report.h"
#include "fanout/session_target.h"
#include "fanout/shard_config.h"
#include "fanout/shard_parts.h"
#include "fanout/shard_stats.h"
#include "fanout/subscriptions.h"
#include "fanout/turn.h"
#include "hub/hub.h"
#include "session/session.h"
#include "session/socket.h"

namespace tickwire {

class Shard {
 public:
  // `wake` is called from any thread when run() should be called soon; it must not wait.
  Shard(Hub& hub, const Clock& clock, Access& access, ShardConfig config, std::function<void()> wake);
  ~Shard();
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  // --- driven by net/ ---------------------------------------------------------------------------------
  // Welcomes a client. `socket` outlives on_closed.
  Session& open(Socket& socket, ClientInfo client, const Framing& framing = {});
  // One whole message in the session's format; a text is already known to be UTF-8.
  void on_message(Session& session, std::string_view message);
  // What a request reads without a command: held to the limits of its session and its address, those of lists
  // among them where it `lists`, and admitted as a subscribe of `topics` is. `then` is called once, perhaps
  // at once, while the session is open, unless an `error` to the session says which limit is in the way. Not
  // while the session's token is being judged.
  void read(Session& session, bool lists, std::vector<std::string> topics, Admission::Then then);
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
  [[nodiscard]] std::int64_t next_tick_us() const { return keep_alive_.next_us(); }
  // Work of net/ that is done in pieces, the first one at once; true: it is done.
  void start(Jobs::Piece piece) { parts_.jobs.start(std::move(piece)); }
  // Fills `list`, in pieces, and lets go of it when it is whole, or the shard stops: at most the query's
  // limit of sessions, in no order.
  void list_sessions(const SessionsQuery& query, std::shared_ptr<SessionList> list);
  // Ends the sessions that the target covers, in pieces, counts them in `ended`, and lets go of it when all
  // are ended, or the shard stops. A subject that is revoked is in ShardConfig::revocations already, so that
  // no new session takes the place of one that ended.
  void end_sessions(const SessionTarget& target, SessionEnd end,
                    std::shared_ptr<std::atomic<std::size_t>> ended);
  enum class Drained : std::uint8_t { kClients, kEverybody };  // in-process sessions, too
  // Says drain, with reconnect_after spread over [0, spread_ms], and closes them; in pieces, the first one at
  // once. draining(): some have yet to be told, or what was posted has yet to be called.
  void drain(int spread_ms, Drained whom = Drained::kEverybody);
  [[nodiscard]] bool draining() const { return drains_ > 0 || !calls_.empty(); }
  // The process is short of memory (Hub::memory_full): no new sessions now.
  [[nodiscard]] bool memory_full() const { return parts_.hub.memory_full(); }
  // The hub is to forget what it holds (Hub::forget_updates): everybody is told to go and come back.
  // has_left(): nobody is there, and nothing is left of them.
  void leave();
  [[nodiscard]] bool has_left() const;
  // What the hub holds may not be shown: no new sessions now.
  [[nodiscard]] bool serving() const { return parts_.hub.serving(); }
  // After an exception came out of run() or tick(): whatever it was about is in doubt, so all sessions are
  // closed with 1001, and their clients resume.
  void recover();
  // The loop ends: closes the sessions still there (in-process ones: a connection ended with its socket) and
  // runs what is posted; from then on post() takes nothing. Idempotent.
  void stop();

  // Where the client of a session is (protocol/cursor.h); empty: a command of it is under way.
  [[nodiscard]] std::string cursor(Session& session) { return sender_.cursor(session); }
  [[nodiscard]] const ShardConfig& config() const { return parts_.config; }

  // --- any thread -------------------------------------------------------------------------------------
  bool post(std::function<void()> call);  // runs on the loop thread, in order; false: stopped, it never will
  void answer(AccessAnswer answer);
  // A guard of subscriptions was loaded, which Access knows: it is asked about those that are there.
  void guard_loaded(const Pattern& guard);
  [[nodiscard]] ShardStats stats() const { return stats_of(parts_.counters); }
  // Written on the loop thread only: by the shard for what it does, by net/ for the rest.
  [[nodiscard]] ShardCounters& counters() { return parts_.counters; }
  // Set on the loop thread only: by the shard for what it does, by net/ for the rest.
  [[nodiscard]] LoopPulse& pulse() { return parts_.pulse; }

 private:
  // Judges the token of the URL, which is held to what the command `auth` holds its own to. Authorizers see
  // it once it was judged.
  void take_token(Session& session);
  void run_posted();
  // A piece of that: the sessions from slot `slot` on.
  struct Walk {
    std::uint32_t slot = 0;
    bool begun = false;  // with its session
    Leases::Place place;
  };
  bool ask_guard(const Pattern& guard, Walk& walk, const Budget& budget);
  void turn(std::int64_t now);
  // Each session gets one write a run, so that none starves the others.
  void send_dues();
  // When run() has something to do next, what publishers leave in the inbox aside.
  std::int64_t due_us(std::int64_t now);

  const std::function<void()> wake_;
  Inbox inbox_;
  const SinkId sink_;
  ShardParts parts_;
  Overlap overlap_{parts_};
  Sender sender_{parts_, overlap_};
  Subscriptions subscriptions_{parts_, overlap_};
  Admission admission_{parts_, sender_};
  Leases leases_{parts_, sender_, subscriptions_, admission_};
  Commands commands_{parts_, sender_, subscriptions_, admission_, leases_};
  KeepAlive keep_alive_{parts_, sender_, admission_, leases_};
  Turn turn_{parts_, sender_, inbox_};
  std::int64_t next_turn_us_ = 0;
  std::uint64_t opened_ = 0;  // sessions so far
  int drains_ = 0;            // under way
  // Last: what they hold may draw on shares of the parts.
  PostedCalls posted_;
  std::deque<PostedCalls::Call> calls_;  // that were posted, and have yet to be called
};

}  // namespace tickwire
