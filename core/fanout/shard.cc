#include "fanout/shard.h"

#include <algorithm>
#include <utility>

#include "base/fault.h"
#include "model/utf8.h"
#include "protocol/command.h"
#include "protocol/encode.h"

namespace tickwire {

constexpr std::int64_t kPostedUs = 2'000;  // then clients have their turn
constexpr std::uint64_t kReportSteps = 4;

Shard::Shard(Hub& hub, const Clock& clock, Access& access, ShardConfig config, std::function<void()> wake)
    : wake_(std::move(wake)),
      inbox_(wake_, config.inbox_updates_max),
      sink_(hub.add_sink(inbox_)),
      parts_(hub, clock, access, std::move(config), sink_) {
  parts_.post = [this](std::function<void()> call) { return post(std::move(call)); };
}

Shard::~Shard() {
  // The loop has ended and its sockets are gone; only interest is left to give back.
  for (std::uint32_t slot = 0; slot < parts_.sessions.slot_count(); ++slot) {
    if (Session* session = parts_.sessions.at(slot)) subscriptions_.forget(*session, Budget::unlimited());
  }
  parts_.hub.remove_sink(sink_);
}

Session& Shard::open(Socket& socket, ClientInfo client, const Framing& framing) {
  client.session = std::to_string(parts_.config.index) + "-" + std::to_string(++opened_);
  Session& session = parts_.sessions.add(socket, std::move(client), framing);
  parts_.counters.sessions.set(parts_.sessions.count());
  parts_.counters.sessions_opened.add(1);
  session.opened_us = parts_.clock.steady_us();
  session.epoch_no = parts_.epoch_no;
  session.parked_share = Share(parts_.waiting_bytes, session.client.address);
  session.outbox_share = Share(parts_.outbox_bytes, session.client.address);
  session.limited = &parts_.counters.limited;
  if (framing.carrier != Carrier::kRequest) {
    session.send(encode_welcome(session.client.session, parts_.epoch, parts_.config.session.heartbeat_s,
                                parts_.config.server, parts_.clock.wall_ms()));
  }
  take_token(session);
  sender_.send(session);
  keep_alive_.watch(session);
  return session;
}

void Shard::on_message(Session& session, std::string_view message) {
  const Doing doing(parts_.pulse, Activity::kReading);
  commands_.run(session, message);
}

void Shard::read(Session& session, bool lists, std::vector<std::string> topics, Admission::Then then) {
  const Doing doing(parts_.pulse, Activity::kReading);
  commands_.read(session, lists, std::move(topics), std::move(then));
  sender_.send(session);
}

void Shard::on_writable(Session& session) {
  const Doing doing(parts_.pulse, Activity::kSending);
  session.unblock();
  sender_.send(session);
}

void Shard::on_closed(Session& session) {
  const Doing doing(parts_.pulse, Activity::kDisconnect);
  admission_.forget(session);
  leases_.forget(session);
  parts_.sessions.retire(session);
  parts_.counters.sessions.set(parts_.sessions.count());
  parts_.jobs.start([this, &session](const Budget& budget) {
    if (!subscriptions_.forget(session, budget)) return false;
    parts_.sessions.remove(session);
    return true;
  });
}

std::int64_t Shard::run() {
  ++parts_.runs;
  run_posted();
  admission_.expire();
  leases_.run();
  parts_.jobs.run_piece();
  const std::int64_t now = parts_.clock.steady_us();
  if (now >= next_turn_us_ && !inbox_.empty()) turn(now);
  send_dues();
  const std::int64_t end = parts_.clock.steady_us();
  std::int64_t due = due_us(end);
  if (next_turn_us_ > end || !inbox_.rest()) due = std::min(due, next_turn_us_);
  if (!calls_.empty()) return 0;
  return due == kForeverUs ? -1 : std::max<std::int64_t>(due - end, 0);
}

void Shard::list_sessions(const SessionsQuery& query, std::shared_ptr<SessionList> list) {
  list->total = parts_.sessions.count();
  parts_.jobs.start([this, query, list = std::move(list), slot = 0U](const Budget& budget) mutable {
    std::vector<SessionReport>& sessions = list->sessions;
    const std::int64_t now = parts_.clock.steady_us();
    for (; slot < parts_.sessions.slot_count() && !budget.spent(); ++slot) {
      Work::count();
      const Session* session = parts_.sessions.open_at(slot);
      if (session == nullptr) continue;
      Work::count(kReportSteps);
      sessions.push_back(report_on(*session, now));
      if (sessions.size() >= 2 * query.limit) keep_some(sessions, query);
    }
    if (slot < parts_.sessions.slot_count()) return false;
    keep_some(sessions, query);
    return true;
  });
}

void Shard::end_sessions(const SessionTarget& target, SessionEnd end,
                         std::shared_ptr<std::atomic<std::size_t>> ended) {
  parts_.jobs.start([this, target, end, ended = std::move(ended), slot = 0U](const Budget& budget) mutable {
    for (; slot < parts_.sessions.slot_count() && !budget.spent(); ++slot) {
      Work::count();
      Session* session = parts_.sessions.open_at(slot);
      if (session == nullptr || !target.covers(session->client)) continue;
      Work::count(kWriteSteps);
      commands_.end(*session, end);
      ended->fetch_add(1);
    }
    return slot >= parts_.sessions.slot_count();
  });
}

void Shard::guard_loaded(const Pattern& guard) {
  post([this, guard] {
    ++parts_.guards;
    parts_.jobs.start([this, guard, walk = Walk{}](const Budget& budget) mutable {
      return ask_guard(guard, walk, budget);
    });
  });
}

bool Shard::ask_guard(const Pattern& guard, Walk& walk, const Budget& budget) {
  for (; walk.slot < parts_.sessions.slot_count(); walk = Walk{walk.slot + 1, false, {}}) {
    if (budget.spent()) return false;
    Work::count();
    Session* session = parts_.sessions.open_at(walk.slot);
    if (session != nullptr && !std::exchange(walk.begun, true)) {
      // What was asked of the guards before this one does not count.
      admission_.reconsider(*session);
      session = parts_.sessions.open_at(walk.slot);
    }
    if (session == nullptr) continue;
    const bool whole = leases_.doubt(*session, guard, walk.place, budget);
    sender_.send(*session);
    if (!whole) return false;
  }
  return true;
}

void Shard::drain(int spread_ms, Drained whom) {
  ++drains_;
  const std::size_t count = std::max<std::size_t>(parts_.sessions.count(), 1);
  parts_.jobs.start(
      [this, spread_ms, whom, count, slot = 0U, nth = std::size_t{0}](const Budget& budget) mutable {
        for (; slot < parts_.sessions.slot_count() && !budget.spent(); ++slot) {
          Session* session = parts_.sessions.open_at(slot);
          if (session == nullptr || session->state() != SessionState::kOpen) continue;
          if (whom == Drained::kClients && session->framing.carrier == Carrier::kInProcess) continue;
          Work::count(kWriteSteps);
          // Spread evenly: everybody reconnecting at once is the next outage.
          const auto after_ms = static_cast<std::size_t>(spread_ms) * std::min(nth++, count) / count;
          admission_.forget(*session);
          leases_.forget(*session);
          session->send_drain(static_cast<int>(after_ms));
          session->close(CloseCode::kDrain, "the server is going away");
        }
        const bool done = slot >= parts_.sessions.slot_count();
        if (done) --drains_;
        return done;
      });
}

void Shard::leave() {
  drain(0);
}

bool Shard::has_left() const {
  return !draining() && parts_.sessions.count() == 0 && parts_.jobs.empty() && inbox_.empty();
}

void Shard::recover() {
  turn_.abandon();
  for (std::uint32_t slot = 0; slot < parts_.sessions.slot_count(); ++slot) {
    Session* session = parts_.sessions.open_at(slot);
    if (session != nullptr) session->close(CloseCode::kGoingAway, "a fault of the server");
  }
}

void Shard::stop() {
  do {
    run_posted();
    for (std::uint32_t slot = 0; slot < parts_.sessions.slot_count(); ++slot) {
      Session* session = parts_.sessions.at(slot);
      if (session != nullptr) session->close(CloseCode::kDrain, "the server has stopped");
    }
  } while (!calls_.empty() || !posted_.stop());
  parts_.jobs.drop();  // and who waits for one hears of it
}

void Shard::answer(AccessAnswer answer) {
  post([this, answer = std::move(answer)] { admission_.answer(answer); });
}

void Shard::take_token(Session& session) {
  const std::string token = std::exchange(session.client.token, "");
  if (token.empty()) return;
  Error wrong{ErrorCode::kBadMessage, "token: ", "token"};
  if (token.size() > kTokenBytesMax) {
    wrong.message +=
        std::to_string(token.size()) + " bytes, at most " + std::to_string(kTokenBytesMax) + " are allowed";
    wrong.limit = Limit::kTokenBytes;
  } else if (!valid_utf8(token)) {
    wrong.message += "must be UTF-8, percent-encoded";
  } else {
    return commands_.authenticate(session, "", token);
  }
  parts_.counters.count(wrong);
  session.send(encode_error("", wrong));
}

void Shard::turn(std::int64_t now) {
  const Doing doing(parts_.pulse, Activity::kTurn);
  turn_.run();
  const std::int64_t end = parts_.clock.steady_us();
  parts_.counters.turn.observe(end - now);
  const double rest = static_cast<double>(end - now) * (1.0 / parts_.config.fanout_load - 1.0);
  next_turn_us_ = end + std::min(static_cast<std::int64_t>(rest), parts_.config.turn_spacing_us_max);
}

void Shard::send_dues() {
  const Doing doing(parts_.pulse, Activity::kSending);
  parts_.dues.take_due(parts_.jobs.budget());
  for (Session* session : parts_.dues.take_sessions()) {
    if (session->writable()) sender_.send(*session);
  }
  sender_.send_cursors();
}

std::int64_t Shard::due_us(std::int64_t now) {
  std::int64_t due = kForeverUs;
  const auto sooner = [&due](std::int64_t at) {
    if (at >= 0) due = std::min(due, at);
  };
  sooner(parts_.dues.next_us());
  if (!parts_.jobs.empty() || sender_.owes_cursors()) sooner(now);
  sooner(admission_.next_deadline_us());
  sooner(leases_.next_us());
  return due;
}

void Shard::tick() {
  const Doing doing(parts_.pulse, Activity::kTick);
  keep_alive_.run();
}

bool Shard::post(std::function<void()> call) {
  const bool taken = posted_.post(std::move(call));
  if (taken) wake_();
  return taken;
}

void Shard::run_posted() {
  const Doing doing(parts_.pulse, Activity::kPosted);
  for (PostedCalls::Call& call : posted_.take()) calls_.push_back(std::move(call));
  const std::int64_t end = parts_.clock.steady_us() + kPostedUs;
  while (!calls_.empty()) {
    const PostedCalls::Call call = std::move(calls_.front());
    calls_.pop_front();
    contained(Boundary::kLoop, "a posted call", call);
    if (parts_.clock.steady_us() >= end) return;
  }
}

}  // namespace tickwire
