#include "fanout/sequencer.h"

#include <cstdint>
#include <string>
#include <utility>

#include "base/work.h"
#include "fanout/offload.h"

namespace tickwire {
namespace {

bool is_busy(const Session& session) {
  return session.authenticating || session.working();
}

std::size_t parked_bytes(std::string_view message) {
  return sizeof(std::string) + message.size();
}

}  // namespace

void Sequencer::take(Session& session, std::string_view message) {
  if (session.state() != SessionState::kOpen) return;
  if (is_busy(session)) {
    if (hold(session, parked_bytes(message))) session.parked.emplace_back(message);
    return;
  }
  run(session, message);
  sender_.send(session);
}

void Sequencer::park_first(Session& session, std::string_view message) {
  if (hold(session, parked_bytes(message))) session.parked.emplace_front(message);
}

bool Sequencer::hold(Session& session, std::size_t bytes) {
  if (session.parked_share.resize(session.parked_share.held() + bytes) == Drawn::kTaken) return true;
  session.close(CloseCode::kTooSlow, kNoRoomForCommands);
  return false;
}

void Sequencer::run(Session& session, std::string_view message) {
  const std::uint64_t before = Work::done();
  run_(session, message);
  if (session.steps_run != parts_.runs) session.steps = 0;
  session.steps_run = parts_.runs;
  session.steps += Work::done() - before;
  // What it sends on top of that waits for the next piece.
  if (session.steps >= parts_.config.piece_steps && !session.working())
    work_later(session, [](Session&, const Budget&) { return true; });
}

void Sequencer::work(Session& session, Piece piece) {
  if (session.working() || !piece(session, parts_.jobs.budget())) work_later(session, std::move(piece));
}

void Sequencer::work_later(Session& session, Piece piece) {
  session.hold_reading(true);
  const std::uint32_t number = session.works_begun++;
  const SessionRef ref = parts_.sessions.ref(session);
  parts_.jobs.add([this, ref, number, piece = std::move(piece)](const Budget& budget) {
    Session* worker = parts_.sessions.find(ref);
    if (worker == nullptr || worker->state() != SessionState::kOpen) return true;
    if (worker->works_done != number) return false;  // it has others to do first
    const bool done = piece(*worker, budget);
    if (done) ++worker->works_done;
    sender_.send(*worker);
    if (done) go_on(*worker);
    return done;
  });
}

void Sequencer::elsewhere(Session& session, std::function<void()> task, std::function<void(Session&)> then) {
  session.hold_reading(true);
  ++session.works_elsewhere;
  auto finish = [this, ref = parts_.sessions.ref(session), then = std::move(then)](const Budget& /*budget*/) {
    Session* asker = parts_.sessions.find(ref);
    if (asker == nullptr || asker->state() != SessionState::kOpen) return true;
    --asker->works_elsewhere;
    then(*asker);
    sender_.send(*asker);
    go_on(*asker);
    return true;
  };
  parts_.config.offload->run([this, task = std::move(task), finish = std::move(finish)] {
    task();
    // As a job, so that the ends of many such commands do not come in one go.
    parts_.post([this, finish] { parts_.jobs.add(finish); });
  });
}

void Sequencer::go_on(Session& session) {
  const Budget budget = parts_.jobs.budget();
  while (!session.parked.empty() && session.state() == SessionState::kOpen && !is_busy(session)) {
    if (budget.spent()) {
      work_later(session, [](Session&, const Budget&) { return true; });
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
