#include "net/loop.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <pthread.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cassert>
#include <chrono>
#include <functional>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "bridge/event_fd.h"
#include "net/connection.h"
#include "net/http_connection.h"
#include "net/listener.h"
#include "net/loop_state.h"
#include "net/lws_context.h"
#include "net/static_file.h"

namespace tickwire {
namespace {

constexpr std::int64_t kTickUs = 1'000'000;
constexpr std::int64_t kDeadlineStepUs = 250'000;
constexpr std::int64_t kEndStepUs = 5'000;
// lws polls without end in some states in which it does not read what a client sends: while an HTTP answer
// waits for that client, say, or while it flushes before a close. Turns in which nothing happens are then
// slowed down.
constexpr int kEmptyTurnsMax = 32;
constexpr std::chrono::milliseconds kEmptyTurnPause{1};

class CallWatcher final : public Watcher {
 public:
  explicit CallWatcher(std::function<void()> call) : call_(std::move(call)) {}
  void on_readable() override { call_(); }

 private:
  std::function<void()> call_;
};

// A one-shot timer that poll() sees, to the microsecond. lws' own would have its last millisecond spun away,
// since poll() counts in those.
class TimerFd {
 public:
  TimerFd() = default;
  ~TimerFd() {
    if (fd_ >= 0) ::close(fd_);
  }
  TimerFd(const TimerFd&) = delete;
  TimerFd& operator=(const TimerFd&) = delete;

  int open() { return fd_ = ::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC); }
  void set(std::int64_t wait_us) const {
    const std::int64_t wait_ns = std::max<std::int64_t>(wait_us * 1000, 1);  // 0 would mean never
    itimerspec when{};
    when.it_value.tv_sec = static_cast<time_t>(wait_ns / 1'000'000'000);
    when.it_value.tv_nsec = static_cast<long>(wait_ns % 1'000'000'000);
    ::timerfd_settime(fd_, 0, &when, nullptr);  // also makes it unreadable
  }

 private:
  int fd_ = -1;
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
               HttpRouter({parts.hub, parts.access, parts.source, static_files(), shard.epoch})),
        listener_(context_, state_, Door::kPublic) {}
  ~Impl() { stop(); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Status open();
  Status serve_admin(int socket, Door door);
  void start();
  void drain(int spread_ms);
  void stop();
  [[nodiscard]] std::uint16_t port() const { return listener_.port(); }
  Shard& shard() { return shard_; }

 private:
  Status watch(int fd, Watcher& watcher);
  void run();
  void step();
  void serve_overdue(std::int64_t now_us);
  void begin_end(std::int64_t now_us);
  void close_all();
  [[nodiscard]] bool ended(std::int64_t now_us) const;

  const std::uint32_t index_;
  const NetConfig config_;
  const Clock& clock_;
  EventFd wake_;  // before shard_, which signals it
  TimerFd timer_;
  CallWatcher on_step_{[this] { step(); }};
  CallWatcher on_http_{[this] { http_ready_ = true; }};
  Shard shard_;
  LwsContext context_;
  LoopState state_;
  Listener listener_;
  std::optional<Listener> admin_listener_;
  std::thread thread_;
  std::atomic<bool> stopping_ = false;

  // The loop thread's:
  std::int64_t tick_due_us_ = 0;
  std::int64_t deadlines_due_us_ = 0;
  std::int64_t end_due_us_ = -1;  // < 0: not ending
  bool http_ready_ = false;
};

Status Loop::Impl::watch(int fd, Watcher& watcher) {
  const int copy = fd < 0 ? -1 : ::fcntl(fd, F_DUPFD_CLOEXEC, 0);  // lws closes what it watches
  if (copy >= 0 && context_.watch(copy, watcher) != nullptr) return ok_status();
  return Error{ErrorCode::kInternal, "no descriptors left for a loop", ""};
}

Status Loop::Impl::open() {
  auto wake = wake_.open();
  if (!wake) return wake.error();
  if (auto opened = context_.open(); !opened) return opened;
  if (auto watched = watch(*wake, on_step_); !watched) return watched;
  if (auto watched = watch(timer_.open(), on_step_); !watched) return watched;
  if (auto watched = watch(state_.poller.open(), on_http_); !watched) return watched;
  return listener_.open(index_ == 0);
}

Status Loop::Impl::serve_admin(int socket, Door door) {
  return admin_listener_.emplace(context_, state_, door).listen_on(socket);
}

void Loop::Impl::start() {
  assert(!thread_.joinable());
  wake_.signal();  // the first step sets the timer
  thread_ = std::thread([this] { run(); });
}

void Loop::Impl::run() {
  ::pthread_setname_np(::pthread_self(), fmt::format("tickwire-{}", index_).c_str());
  shard_.pulse().set(Activity::kPolling);
  int empty_turns = 0;
  while (!ended(clock_.steady_us())) {
    empty_turns = context_.run_once() ? 0 : empty_turns + 1;
    // Not within lws: it is handed the sockets that become a WebSocket, and serves them at once.
    if (std::exchange(http_ready_, false)) state_.poller.run();
    if (empty_turns > kEmptyTurnsMax) std::this_thread::sleep_for(kEmptyTurnPause);
  }
  close_all();
}

// Also of a loop that never ran.
void Loop::Impl::close_all() {
  listener_.close();
  if (admin_listener_) admin_listener_->close();
  while (!state_.http.empty()) delete *state_.http.begin();
  context_.close();
  shard_.stop();
  shard_.pulse().set(Activity::kNotRunning);
}

void Loop::Impl::step() {
  wake_.clear();
  shard_.pulse().beat();
  std::int64_t now = clock_.steady_us();
  if (now >= tick_due_us_) {
    tick_due_us_ = now + kTickUs;
    shard_.tick();
  }
  if (now >= deadlines_due_us_) {
    deadlines_due_us_ = now + kDeadlineStepUs;
    serve_overdue(now);
  }
  std::int64_t paused_until = listener_.resume(now);
  if (admin_listener_) paused_until = std::max(paused_until, admin_listener_->resume(now));
  const bool stopping = stopping_;  // read first: what was posted before stop(), a drain, runs before the end
  const std::int64_t turn_wait = shard_.run();
  if (stopping && end_due_us_ < 0 && !shard_.draining()) begin_end(now);

  now = clock_.steady_us();
  std::int64_t wait = std::min(tick_due_us_, deadlines_due_us_) - now;
  if (paused_until >= 0) wait = std::min(wait, paused_until - now);
  if (turn_wait >= 0) wait = std::min(wait, turn_wait);
  if (end_due_us_ >= 0) wait = std::min(wait, kEndStepUs);
  timer_.set(wait);
}

void Loop::Impl::serve_overdue(std::int64_t now_us) {
  const Doing doing(shard_.pulse(), Activity::kDeadlines);
  for (DeadlineList* list : {&state_.requests, &state_.answers, &state_.lingers}) {
    while (DeadlineNode* node = list->take_overdue(now_us)) static_cast<HttpConnection*>(node)->on_overdue();
  }
  for (DeadlineList* list : {&state_.pings, &state_.pongs, &state_.closes}) {
    while (DeadlineNode* node = list->take_overdue(now_us)) static_cast<Connection*>(node)->on_overdue();
  }
  while (DeadlineNode* node = state_.messages.take_overdue(now_us)) {
    static_cast<Connection::UnfinishedMessage*>(node)->owner.on_message_overdue();
  }
}

void Loop::Impl::begin_end(std::int64_t now_us) {
  end_due_us_ = now_us + std::int64_t{config_.stop_ms_max} * 1000;
  listener_.close();
  for (Connection* client : state_.connections) client->end();
  const std::vector<HttpConnection*> http(state_.http.begin(), state_.http.end());  // each may leave it
  for (HttpConnection* client : http) client->end();
}

bool Loop::Impl::ended(std::int64_t now_us) const {
  if (end_due_us_ < 0) return false;
  // The admin's question how the end goes does not hold it up.
  const auto is_public = [](const HttpConnection* client) { return client->door() == Door::kPublic; };
  return now_us >= end_due_us_ ||
         (state_.connections.empty() && std::ranges::none_of(state_.http, is_public));
}

void Loop::Impl::drain(int spread_ms) {
  shard_.post([this, spread_ms] {
    state_.draining = true;
    listener_.close();
    shard_.drain(spread_ms);
  });
}

void Loop::Impl::stop() {
  stopping_ = true;
  wake_.signal();
  if (thread_.joinable()) thread_.join();
  close_all();
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
void Loop::drain(int spread_ms) {
  impl_->drain(spread_ms);
}
void Loop::stop() {
  impl_->stop();
}
std::uint16_t Loop::port() const {
  return impl_->port();
}
Shard& Loop::shard() {
  return impl_->shard();
}
const LoopPulse& Loop::pulse() {
  return impl_->shard().pulse();
}

}  // namespace tickwire
