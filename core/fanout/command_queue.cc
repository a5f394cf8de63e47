#include "fanout/command_queue.h"

#include <cstdint>
#include <string>
#include <utility>

#include "base/fault.h"
#include "base/work.h"
#include "fanout/offload.h"

namespace tickwire {
namespace {

bool is_busy(const Session& session) {
  return session.authenticating || session.working;
}

std::size_t parked_bytes(std::string_view message) {
  return sizeof(std::string) + message.size();
}

}  // namespace

void CommandQueue::take(Session& session, std::string_view message) {
  if (session.state() != SessionState::kOpen) return;
  if (is_busy(session)) {
    if (hold(session, parked_bytes(message))) session.parked.emplace_back(message);
    return;
  }
  run(session, message);
  sender_.send(session);
}

void CommandQueue::park_first(Session& session, std::string_view message) {
  if (hold(session, parked_bytes(message))) session.parked.emplace_front(message);
}

bool CommandQueue::hold(Session& session, std::size_t bytes) {
  const auto limit = session.parked_share.resize(session.parked_share.held() + bytes);
  if (limit) session.close(CloseCode::kTooSlow, kNoRoomForCommands, limit);
  return !limit;
}

void CommandQueue::run(Session& session, std::string_view message) {
  const std::uint64_t before = Work::done();
  run_(session, message);
  if (session.steps_run != parts_.runs) session.steps = 0;
  session.steps_run = parts_.runs;
  session.steps += Work::done() - before;
  // What it sends on top of that waits for the next piece.
  if (session.steps >= parts_.config.piece_steps && !session.working)
    later(session, {{}, [](Session&, const Budget&) { return true; }});
}

void CommandQueue::work(Session& session, Piece piece) {
  if (session.working || !piece(session, parts_.jobs.budget())) later(session, {{}, std::move(piece)});
}

void CommandQueue::elsewhere(Session& session, std::function<void()> task,
                             std::function<void(Session&)> then) {
  later(session, {std::move(task), [then = std::move(then)](Session& asker, const Budget& /*budget*/) {
                    then(asker);
                    return true;
                  }});
}

void CommandQueue::after(Session& session, Wait wait, Piece piece) {
  later(session, {{}, std::move(piece), std::move(wait)});
}

void CommandQueue::later(Session& session, Step step) {
  session.hold_reading(true);
  const SessionRef ref = parts_.sessions.ref(session);
  steps_[ref].push_back(std::move(step));
  if (!std::exchange(session.working, true)) begin(ref);
}

void CommandQueue::begin(SessionRef ref) {
  auto go = [this, ref](const Budget& budget) { return go_a_piece(ref, budget); };
  const std::function<void()> task = std::exchange(steps_[ref].front().task, {});
  if (const Wait wait = std::exchange(steps_[ref].front().wait, {}))
    return wait([this, go] { parts_.post([this, go] { parts_.jobs.add(go); }); });
  if (!task) return parts_.jobs.add(std::move(go));
  parts_.config.offload->run(parts_.asker_of(ref), [this, ref, task, go = std::move(go)] {
    const bool done = contained(Boundary::kWorker, "a command", task);
    // As a job, so that the ends of many such commands do not come in one go.
    parts_.post([this, ref, done, go] {
      if (!done) end_after_fault(ref);
      parts_.jobs.add(go);
    });
  });
}

// What comes after the command cannot be done without it.
void CommandQueue::end_after_fault(SessionRef ref) const {
  Session* session = parts_.sessions.find(ref);
  if (session != nullptr) session->close(CloseCode::kGoingAway, "a fault of the server");
}

bool CommandQueue::go_a_piece(SessionRef ref, const Budget& budget) {
  Session* session = parts_.sessions.find(ref);
  if (session == nullptr || session->state() != SessionState::kOpen) {
    steps_.erase(ref);
    return true;
  }
  std::deque<Step>& steps = steps_[ref];
  if (!steps.front().piece(*session, budget)) {  // which may add steps
    sender_.send(*session);
    return false;
  }
  steps.pop_front();
  session->working = !steps.empty();
  if (session->working) {
    begin(ref);
  } else {
    steps_.erase(ref);
  }
  sender_.send(*session);
  go_on(*session);
  return true;
}

void CommandQueue::go_on(Session& session) {
  const Budget budget = parts_.jobs.budget();
  while (!session.parked.empty() && session.state() == SessionState::kOpen && !is_busy(session)) {
    if (budget.spent()) {
      later(session, {{}, [](Session&, const Budget&) { return true; }});
      break;
    }
    const std::string message = std::move(session.parked.front());
    session.parked.pop_front();
    session.parked_share.resize(session.parked_share.held() - parked_bytes(message));
    run(session, message);
    sender_.send(session);
  }
  session.hold_reading(is_busy(session));
}

}  // namespace tickwire
