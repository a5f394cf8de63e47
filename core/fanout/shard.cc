#include "fanout/shard.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "base/fault.h"
#include "fanout/admission.h"
#include "fanout/commands.h"
#include "fanout/inbox.h"
#include "fanout/keep_alive.h"
#include "fanout/leases.h"
#include "fanout/sender.h"
#include "fanout/shard_parts.h"
#include "fanout/subscriptions.h"
#include "fanout/turn.h"
#include "model/utf8.h"
#include "protocol/command.h"
#include "protocol/encode.h"

namespace tickwire {

// A write to one socket, with the system call: some 10 us.
constexpr std::uint64_t kWriteSteps = 64;

class Shard::Impl {
 public:
  Impl(Hub& hub, const Clock& clock, Access& access, ShardConfig config, std::function<void()> wake)
      : wake_(std::move(wake)),
        inbox_(wake_, config.inbox_updates_max),
        sink_(hub.add_sink(inbox_)),
        parts_(hub, clock, access, std::move(config), sink_) {
    parts_.post = [this](std::function<void()> call) { return post(std::move(call)); };
  }

  ~Impl() {
    // The destructor runs after the loop: sockets are gone, only interest is left to give back.
    for (std::uint32_t slot = 0; slot < parts_.sessions.slot_count(); ++slot) {
      if (Session* session = parts_.sessions.at(slot)) subscriptions_.forget(*session, Budget::unlimited());
    }
    parts_.hub.remove_sink(sink_);
  }

  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Session& open(Socket& socket, ClientInfo client, const Framing& framing) {
    client.session = std::to_string(parts_.config.index) + "-" + std::to_string(++opened_);
    Session& session = parts_.sessions.add(socket, std::move(client), framing);
    parts_.counters.sessions.set(parts_.sessions.count());
    parts_.counters.sessions_opened.add(1);
    session.opened_us = parts_.clock.steady_us();
    session.parked_share = Share(parts_.waiting_bytes, session.client.address);
    session.send(encode_welcome(session.client.session, parts_.epoch, parts_.config.session.heartbeat_s,
                                parts_.config.server, parts_.clock.wall_ms()));
    take_token(session);
    sender_.send(session);
    keep_alive_.watch(session);
    return session;
  }

  void on_writable(Session& session) {
    const Doing doing(parts_.pulse, Activity::kSending);
    session.unblock();
    sender_.send(session);
  }

  void on_closed(Session& session) {
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

  std::int64_t run() {
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
    return due == kForeverUs ? -1 : std::max<std::int64_t>(due - end, 0);
  }

  void tick() {
    const Doing doing(parts_.pulse, Activity::kTick);
    keep_alive_.run();
  }
  [[nodiscard]] std::int64_t next_tick_us() const { return keep_alive_.next_us(); }

  void start(Jobs::Piece piece) { parts_.jobs.start(std::move(piece)); }

  [[nodiscard]] SessionList list_sessions(const SessionsQuery& query) const {
    SessionList all{{}, parts_.sessions.count()};
    all.sessions.reserve(all.total);
    const std::int64_t now = parts_.clock.steady_us();
    for (std::uint32_t slot = 0; slot < parts_.sessions.slot_count(); ++slot) {
      const Session* session = parts_.sessions.open_at(slot);
      if (session != nullptr) all.sessions.push_back(report_on(*session, now));
    }
    keep_first(all.sessions, query);
    return all;
  }

  void drain(int spread_ms) {
    ++drains_;
    const std::size_t count = std::max<std::size_t>(parts_.sessions.count(), 1);
    parts_.jobs.start(
        [this, spread_ms, count, slot = 0U, nth = std::size_t{0}](const Budget& budget) mutable {
          for (; slot < parts_.sessions.slot_count() && !budget.spent(); ++slot) {
            Session* session = parts_.sessions.open_at(slot);
            if (session == nullptr || session->state() != SessionState::kOpen) continue;
            Work::count(kWriteSteps);
            // Spread evenly: everybody reconnecting at once is the next outage.
            const auto after_ms = static_cast<std::size_t>(spread_ms) * std::min(nth++, count) / count;
            admission_.forget(*session);
            leases_.forget(*session);
            session->send(encode_drain(static_cast<int>(after_ms)));
            session->close(CloseCode::kDrain, "the server is going away");
          }
          const bool done = slot >= parts_.sessions.slot_count();
          if (done) --drains_;
          return done;
        });
  }
  [[nodiscard]] bool draining() const { return drains_ > 0; }

  void on_message(Session& session, std::string_view message) {
    const Doing doing(parts_.pulse, Activity::kReading);
    commands_.run(session, message);
  }

  void recover() {
    turn_.abandon();
    for (std::uint32_t slot = 0; slot < parts_.sessions.slot_count(); ++slot) {
      Session* session = parts_.sessions.open_at(slot);
      if (session != nullptr) session->close(CloseCode::kGoingAway, "a fault of the server");
    }
  }

  void stop() {
    do {
      run_posted();
      for (std::uint32_t slot = 0; slot < parts_.sessions.slot_count(); ++slot) {
        Session* session = parts_.sessions.at(slot);
        if (session != nullptr) session->close(CloseCode::kDrain, "the server has stopped");
      }
    } while (!stop_posting());
  }

  bool post(std::function<void()> call) {
    {
      const std::lock_guard lock(posted_mutex_);
      if (stopped_) return false;
      posted_.push_back(std::move(call));
    }
    wake_();
    return true;
  }

  void answer(AccessAnswer answer) {
    post([this, answer = std::move(answer)] { admission_.answer(answer); });
  }

  LoopPulse& pulse() { return parts_.pulse; }

  ShardCounters& counters() { return parts_.counters; }

 private:
  // The token of the URL, held to what the command `auth` holds its own to. Authorizers see it once it was
  // judged.
  void take_token(Session& session) {
    const std::string token = std::exchange(session.client.token, "");
    if (token.empty()) return;
    std::string wrong;
    if (token.size() > kTokenBytesMax) {
      wrong =
          std::to_string(token.size()) + " bytes, at most " + std::to_string(kTokenBytesMax) + " are allowed";
    } else if (!valid_utf8(token)) {
      wrong = "must be UTF-8, percent-encoded";
    }
    if (wrong.empty()) return commands_.authenticate(session, "", token);
    parts_.counters.count(ErrorCode::kBadMessage);
    session.send(encode_error("", {ErrorCode::kBadMessage, "token: " + wrong, "token"}));
  }

  void run_posted() {
    std::vector<std::function<void()>> calls;
    {
      const std::lock_guard lock(posted_mutex_);
      calls.swap(posted_);
    }
    const Doing doing(parts_.pulse, Activity::kPosted);
    for (const auto& call : calls) contained(Boundary::kLoop, "a posted call", call);
  }

  // False while something is posted still.
  bool stop_posting() {
    const std::lock_guard lock(posted_mutex_);
    stopped_ = posted_.empty();
    return stopped_;
  }

  void turn(std::int64_t now) {
    const Doing doing(parts_.pulse, Activity::kTurn);
    turn_.run();
    const std::int64_t end = parts_.clock.steady_us();
    parts_.counters.turn.observe(end - now);
    const double rest = static_cast<double>(end - now) * (1.0 / parts_.config.fanout_load - 1.0);
    next_turn_us_ = end + std::min(static_cast<std::int64_t>(rest), parts_.config.turn_spacing_us_max);
  }

  // Each session gets one write a run, so that none starves the others.
  void send_dues() {
    const Doing doing(parts_.pulse, Activity::kSending);
    parts_.dues.take_due(parts_.jobs.budget());
    for (Session* session : parts_.dues.take_sessions()) {
      if (session->writable()) sender_.send(*session);
    }
  }

  // When run() has something to do next, what publishers leave in the inbox aside.
  std::int64_t due_us(std::int64_t now) {
    std::int64_t due = kForeverUs;
    const auto sooner = [&due](std::int64_t at) {
      if (at >= 0) due = std::min(due, at);
    };
    sooner(parts_.dues.next_us());
    if (!parts_.jobs.empty()) sooner(now);
    sooner(admission_.next_deadline_us());
    sooner(leases_.next_us());
    return due;
  }

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
  std::uint64_t opened_ = 0;
  int drains_ = 0;  // under way

  std::mutex posted_mutex_;
  // Protected by posted_mutex_:
  std::vector<std::function<void()>> posted_;
  bool stopped_ = false;
};

Shard::Shard(Hub& hub, const Clock& clock, Access& access, ShardConfig config, std::function<void()> wake)
    : impl_(std::make_unique<Impl>(hub, clock, access, std::move(config), std::move(wake))) {}
Shard::~Shard() = default;

Session& Shard::open(Socket& socket, ClientInfo client, const Framing& framing) {
  return impl_->open(socket, std::move(client), framing);
}
void Shard::on_message(Session& session, std::string_view message) {
  impl_->on_message(session, message);
}
void Shard::on_writable(Session& session) {
  impl_->on_writable(session);
}
void Shard::on_closed(Session& session) {
  impl_->on_closed(session);
}
std::int64_t Shard::run() {
  return impl_->run();
}
void Shard::tick() {
  impl_->tick();
}
void Shard::start(std::function<bool(const Budget&)> piece) {
  impl_->start(std::move(piece));
}
std::int64_t Shard::next_tick_us() const {
  return impl_->next_tick_us();
}
SessionList Shard::list_sessions(const SessionsQuery& query) const {
  return impl_->list_sessions(query);
}
void Shard::drain(int spread_ms) {
  impl_->drain(spread_ms);
}
bool Shard::draining() const {
  return impl_->draining();
}
void Shard::recover() {
  impl_->recover();
}
void Shard::stop() {
  impl_->stop();
}
bool Shard::post(std::function<void()> call) {
  return impl_->post(std::move(call));
}
void Shard::answer(AccessAnswer answer) {
  impl_->answer(std::move(answer));
}
ShardStats Shard::stats() const {
  return stats_of(impl_->counters());
}
ShardCounters& Shard::counters() const {
  return impl_->counters();
}
LoopPulse& Shard::pulse() {
  return impl_->pulse();
}

}  // namespace tickwire
