#include "net/event_stream.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <utility>

#include "base/fault.h"
#include "protocol/encode.h"
#include "session/event_frame.h"
#include "session/framing.h"

namespace tickwire {
namespace {

constexpr int kRetryMs = 2'000;  // until the client connects again, where no drain says otherwise

std::string stream_head(int retry_ms) {
  std::string head =
      "HTTP/1.1 200 OK\r\n"
      "Connection: close\r\n"
      "Access-Control-Allow-Origin: *\r\n"
      "X-Content-Type-Options: nosniff\r\n"
      "Cache-Control: private, no-store, no-transform\r\n"
      "X-Accel-Buffering: no\r\n"
      "Content-Type: text/event-stream; charset=utf-8\r\n\r\n";
  append_retry(head, retry_ms);
  return head;
}

}  // namespace

void EventStream::open(LoopState& loop, Stream stream, EventOpening opening) {
  auto* client = new EventStream(loop, std::move(stream), opening);
  if (!client->stream_.poll(*client, EPOLLIN)) {
    delete client;
    return;
  }
  client->begin(std::move(opening));
}

EventStream::EventStream(LoopState& loop, Stream stream, EventOpening& opening)
    : loop_(loop),
      stream_(std::move(stream)),
      seat_(std::move(opening.seat)),
      unread_(loop, opening.client.address) {
  loop.streams.insert(this);
  const int patience_ms = loop.config.ping_after_ms + loop.config.pong_ms_max;
  ::setsockopt(stream_.socket(), IPPROTO_TCP, TCP_USER_TIMEOUT, &patience_ms, sizeof patience_ms);
}

EventStream::~EventStream() {
  Timer::stop();
  if (session_ != nullptr) loop_.shard.on_closed(*session_);
  loop_.streams.erase(this);
}

void EventStream::begin(EventOpening opening) {
  if (!send(stream_head(loop_.spread(kRetryMs)))) return;
  blocked_ = stream_.holds_part();
  session_ = &loop_.shard.open(*this, std::move(opening.client), Framing{.carrier = Carrier::kEvents});
  loop_.shard.on_message(*session_, opening.command);
}

void EventStream::on_ready(std::uint32_t events) {
  if (!contained(Boundary::kWebsocket, "an event of a stream of events", [&] { serve(events); })) on_fault();
}

void EventStream::serve(std::uint32_t events) {
  if ((events & EPOLLOUT) != 0 && stream_.holds_part()) {
    if (!stream_.flush()) return delete this;
    if (!stream_.holds_part()) on_flushed();
  }
  if ((events & EPOLLIN) != 0) {
    if (!throw_away()) return delete this;
  } else if ((events & (EPOLLHUP | EPOLLERR)) != 0) {
    return delete this;
  }
  if (state_ != State::kGone) stream_.update(EPOLLIN);
}

bool EventStream::throw_away() {
  const auto read = stream_.read();
  if (!read) return false;
  thrown_away_bytes_ += read->size();
  return thrown_away_bytes_ <= loop_.config.linger_bytes_max;
}

bool EventStream::send(std::string_view bytes) {
  const bool sent = unread_.write(stream_, bytes);
  if (!sent) hang_up();
  return sent;
}

WriteResult EventStream::write(std::string_view events) {
  if (state_ != State::kOpen || !send(events)) return WriteResult::kClosed;
  blocked_ = stream_.holds_part();
  if (!blocked_) return WriteResult::kSent;
  stream_.update(EPOLLIN);
  return WriteResult::kBlocked;
}

// An event stream has no close code of its own: the last event says it.
void EventStream::close(CloseCode code, std::string_view reason, std::string_view last_events) {
  if (state_ != State::kOpen) return;
  loop_.shard.counters().count(code);
  state_ = State::kClosing;
  loop_.start_timer(*this, loop_.config.close_ms_max);
  std::string last(last_events);
  Framing{.carrier = Carrier::kEvents}.append(last, encode_close(code, reason));
  if (!send(last)) return;
  if (!stream_.holds_part()) stream_.end_writing();
  stream_.update(EPOLLIN);
}

void EventStream::on_flushed() {
  unread_.release();
  if (state_ == State::kClosing) return stream_.end_writing();
  if (std::exchange(blocked_, false) && session_ != nullptr) loop_.shard.on_writable(*session_);
}

void EventStream::hang_up() {
  state_ = State::kGone;
  loop_.start_timer(*this, 0);
}

void EventStream::end() {
  close(CloseCode::kGoingAway, "the server ended", {});
}

}  // namespace tickwire
