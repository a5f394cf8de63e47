#include "net/loop.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <cassert>
#include <deque>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "base/fault.h"
#include "bridge/event_fd.h"
#include "net/connection.h"
#include "net/event_stream.h"
#include "net/http_connection.h"
#include "net/listener.h"
#include "net/loop_state.h"
#include "net/lws_context.h"
#include "net/proxied_connection.h"
#include "net/static_file.h"

namespace tickwire {
namespace {

constexpr std::int64_t kBeatUs = 250'000;  // also a loop that has nothing to do shows that it could
constexpr std::int64_t kEndStepUs = 5'000;
constexpr std::int64_t kStandstillUs = 1'000'000;
// Then others have their turn:
constexpr int kTimersPerStepMax = 64;
// Heartbeats, pings and deadlines may come this much late, so that one wake-up serves all of them that are
// due about the same time: a wake-up costs more than a heartbeat.
constexpr std::int64_t kTimerGridUs = 16'384;
constexpr int kHandshakesPerStepMax = 8;  // half of them sign something, which takes 0.3 to 0.8 ms

// The eventfd by which other threads wake the loop. Edge-triggered, so nobody has to read it.
class WakeUp final : public Pollee {
 public:
  void on_ready(std::uint32_t /*events*/) override {}
};

}  // namespace

class Loop::Impl {
 public:
  struct Parts {
    Hub& hub;
    const Clock& clock;
    Access& access;
    HttpSource& source;
  };
  Impl(const Parts& parts, const ShardConfig& shard, NetConfig net)
      : index_(shard.index),
        config_(std::move(net)),
        clock_(parts.clock),
        shard_(parts.hub, parts.clock, parts.access, shard, [this] { wake_.signal(); }),
        state_(config_, parts.clock, shard_, context_,
               HttpRouter({parts.hub, parts.access, parts.source, static_files()})) {}
  ~Impl() { stop(); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Status open();
  Status serve_admin(int socket, Door door);
  void start();
  void drain(int spread_ms, Shard::Drained whom);
  void stop();
  [[nodiscard]] std::uint16_t port(std::size_t index) const { return listeners_.at(index).port(); }
  Shard& shard() { return shard_; }

 private:
  void run();
  // What is due now. Returns the microseconds after which something is again.
  std::int64_t step();
  void run_timers(std::int64_t now_us);
  // When run_timers() is to be called next; what lies ahead, at a multiple of kTimerGridUs. < 0: never.
  [[nodiscard]] std::int64_t next_timer_us(std::int64_t now_us) const;
  void close_listeners();
  void begin_end(std::int64_t now_us);
  void close_all();
  [[nodiscard]] bool ended(std::int64_t now_us) const;

  const std::uint32_t index_;
  const NetConfig config_;
  const Clock& clock_;
  EventFd wake_;  // before shard_, which signals it
  WakeUp woken_;
  Shard shard_;
  LwsContext context_;
  LoopState state_;
  std::deque<Listener> listeners_;
  std::optional<Listener> admin_listener_;
  std::thread thread_;
  std::atomic<bool> stopping_ = false;

  // The loop thread's:
  std::int64_t end_due_us_ = -1;  // < 0: not ending
  std::int64_t stepped_us_ = 0;
  // After a standstill (a stopped process, a machine that slept) clients are first read: what they did in
  // time waits in their sockets.
  std::int64_t patient_until_us_ = 0;
};

Status Loop::Impl::open() {
  auto wake = wake_.open();
  if (!wake) return wake.error();
  if (auto opened = state_.poller.open(); !opened) return opened;
  if (!state_.poller.add(*wake, woken_, EPOLLIN | EPOLLET)) {
    return Error{ErrorCode::kInternal, "a loop's eventfd cannot be polled", ""};
  }
  if (auto opened = context_.open(config_.tls); !opened) return opened;
  for (const ListenAddress& address : config_.listen) {
    const Entrance entrance{Door::kPublic, address.transport, address.proxy};
    Listener& listener = listeners_.emplace_back(state_, entrance);
    if (auto opened = listener.open(address, index_ == 0); !opened) return opened;
  }
  return ok_status();
}

Status Loop::Impl::serve_admin(int socket, Door door) {
  return admin_listener_.emplace(state_, Entrance{door}).listen_on(socket);
}

void Loop::Impl::start() {
  assert(!thread_.joinable());
  thread_ = std::thread([this] { run(); });
}

void Loop::Impl::run() {
  ::pthread_setname_np(::pthread_self(), fmt::format("tickwire-{}", index_).c_str());
  shard_.pulse().set(Activity::kPolling);
  stepped_us_ = clock_.steady_us();
  while (!ended(clock_.steady_us())) {
    if (contained(Boundary::kLoop, "a turn of a loop", [this] { state_.poller.wait(step()); })) continue;
    contained(Boundary::kLoop, "the end of a loop's connections", [this] { shard_.recover(); });
  }
  contained(Boundary::kLoop, "the end of a loop", [this] { close_all(); });
}

// Also of a loop that never ran.
void Loop::Impl::close_all() {
  close_listeners();
  if (admin_listener_) admin_listener_->close();
  while (!state_.proxied.empty()) delete *state_.proxied.begin();
  while (!state_.http.empty()) delete *state_.http.begin();
  while (!state_.connections.empty()) delete state_.connections.back();
  while (!state_.streams.empty()) delete *state_.streams.begin();
  context_.close();
  shard_.stop();
  shard_.pulse().set(Activity::kNotRunning);
}

std::int64_t Loop::Impl::step() {
  shard_.pulse().beat();
  state_.handshakes_left = kHandshakesPerStepMax;
  std::int64_t now = clock_.steady_us();
  if (now - stepped_us_ > kStandstillUs) patient_until_us_ = now + kStandstillUs;
  stepped_us_ = now;
  if (now >= patient_until_us_) run_timers(now);
  const bool stopping = stopping_;  // read first: what was posted before stop(), a drain, runs before the end
  const std::int64_t turn_wait = shard_.run();
  if (stopping && end_due_us_ < 0 && !shard_.draining()) begin_end(now);

  now = clock_.steady_us();
  std::int64_t wait = end_due_us_ >= 0 ? kEndStepUs : kBeatUs;
  if (turn_wait >= 0) wait = std::min(wait, turn_wait);
  if (const std::int64_t due = next_timer_us(now); due >= 0) wait = std::min(wait, due - now);
  return std::max<std::int64_t>(wait, 0);
}

std::int64_t Loop::Impl::next_timer_us(std::int64_t now_us) const {
  std::int64_t next = -1;
  for (const std::int64_t due : {state_.timers.next_us(), shard_.next_tick_us()}) {
    if (due >= 0 && (next < 0 || due < next)) next = due;
  }
  if (next > now_us) next = (next + kTimerGridUs - 1) / kTimerGridUs * kTimerGridUs;
  return next < 0 ? next : std::max(next, patient_until_us_);
}

void Loop::Impl::run_timers(std::int64_t now_us) {
  const std::int64_t tick_due = shard_.next_tick_us();
  if (tick_due >= 0 && now_us >= tick_due) shard_.tick();
  const Doing doing(shard_.pulse(), Activity::kDeadlines);
  for (int i = 0; i < kTimersPerStepMax; ++i) {
    Timer* timer = state_.timers.take_due(now_us);
    if (timer == nullptr) return;
    auto* const due = static_cast<LoopTimer*>(timer);
    if (contained(Boundary::kTimer, "a deadline", [due] { due->on_due(); })) continue;
    contained(Boundary::kTimer, "the end of a connection", [due] { due->on_fault(); });
  }
}

void Loop::Impl::close_listeners() {
  for (Listener& listener : listeners_) listener.close();
}

void Loop::Impl::begin_end(std::int64_t now_us) {
  end_due_us_ = now_us + std::int64_t{config_.stop_ms_max} * 1000;
  close_listeners();
  while (!state_.proxied.empty()) delete *state_.proxied.begin();
  for (Connection* client : state_.connections) client->end();
  for (EventStream* client : state_.streams) client->end();
  const std::vector<HttpConnection*> http(state_.http.begin(), state_.http.end());  // each may leave it
  for (HttpConnection* client : http) client->end();
}

bool Loop::Impl::ended(std::int64_t now_us) const {
  if (end_due_us_ < 0) return false;
  // The admin's question how the end goes does not hold it up.
  const auto is_public = [](const HttpConnection* client) { return client->door() == Door::kPublic; };
  return now_us >= end_due_us_ || (state_.connections.empty() && state_.streams.empty() &&
                                   std::ranges::none_of(state_.http, is_public));
}

void Loop::Impl::drain(int spread_ms, Shard::Drained whom) {
  shard_.post([this, spread_ms, whom] {
    state_.draining = true;
    close_listeners();
    shard_.drain(spread_ms, whom);
  });
}

void Loop::Impl::stop() {
  stopping_ = true;
  wake_.signal();
  if (thread_.joinable()) thread_.join();
  close_all();
  state_.poller.close();
}

Loop::Loop(Hub& hub, const Clock& clock, Access& access, const ShardConfig& shard, NetConfig net,
           HttpSource& source)
    : impl_(std::make_unique<Impl>(Impl::Parts{hub, clock, access, source}, shard, std::move(net))) {}
Loop::~Loop() = default;

Status Loop::open() {
  return impl_->open();
}
Status Loop::serve_admin(int socket, Door door) {
  return impl_->serve_admin(socket, door);
}
void Loop::start() {
  impl_->start();
}
void Loop::drain(int spread_ms, Shard::Drained whom) {
  impl_->drain(spread_ms, whom);
}
void Loop::stop() {
  impl_->stop();
}
std::uint16_t Loop::port(std::size_t index) const {
  return impl_->port(index);
}
Shard& Loop::shard() {
  return impl_->shard();
}
const LoopPulse& Loop::pulse() {
  return impl_->shard().pulse();
}

}  // namespace tickwire
