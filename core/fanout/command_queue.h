// CommandQueue: a session's commands, one after the other. While one is under way (in pieces, on a worker, or
// waiting for its token to be judged) the session is not read from, and what came in the same read is parked.
//
//   take() ── nothing under way ──> run() ──> done
//     │                               │
//     └──> parked <── go_on() ── work(): in pieces, between the shard's turns
//                                elsewhere(): on a worker thread
//
// Commands that an authorizer let go on meanwhile wait for what is under way, too.
//
// Loop thread. Invariants: a session is not read from while it is working or authenticating; it is working
// while it has steps, the first of which is under way.
#pragma once

#include <compare>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <string_view>
#include <utility>

#include "fanout/offload.h"
#include "fanout/sender.h"
#include "fanout/shard_parts.h"

namespace tickwire {

class CommandQueue {
 public:
  // Does what a message asks.
  using Run = std::function<void(Session&, std::string_view)>;
  // Does a piece of a command; true: the command is done. The session is open.
  using Piece = std::function<bool(Session&, const Budget&)>;

  CommandQueue(ShardParts& parts, Sender& sender, Run run)
      : parts_(parts), sender_(sender), run_(std::move(run)) {}

  // A message that came. Past ShardConfig::waiting_bytes the connection is closed.
  void take(Session& session, std::string_view message);
  // To be run again once what the session waits for is there, before what came after it.
  void park_first(Session& session, std::string_view message);
  // Does the first piece at once, unless others of the session are under way.
  void work(Session& session, Piece piece);
  // After those under way: runs `task` on a worker, then `then` here, if the session is open still.
  // ShardConfig::offload is set.
  void elsewhere(Session& session, std::function<void()> task, std::function<void(Session&)> then);
  // After those under way: calls `wait`, and once what that was given is called, once, on any thread, does
  // `piece`.
  using Wait = std::function<void(const std::function<void()>& go)>;
  void after(Session& session, Wait wait, Piece piece);
  // What the session waited for is there: runs what was parked, and reads on.
  void go_on(Session& session);

 private:
  struct Step {
    std::function<void()> task;  // on a worker, before the piece; null: there is none
    Piece piece;
    Wait wait = {};  // before the piece; null: there is none
  };

  // False: they are over a limit, and the connection is closed.
  static bool hold(Session& session, std::size_t bytes);
  void run(Session& session, std::string_view message);
  void later(Session& session, Step step);
  // The first step of the session that has not begun.
  void begin(SessionRef ref);
  // Closes the session, whose command a worker could not do.
  void end_after_fault(SessionRef ref) const;
  // A piece of the first step; true: it is done.
  bool go_a_piece(SessionRef ref, const Budget& budget);

  ShardParts& parts_;
  Sender& sender_;
  const Run run_;
  std::map<SessionRef, std::deque<Step>> steps_;  // of those that are working
};

}  // namespace tickwire
