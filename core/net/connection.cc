#include "net/connection.h"

#include <libwebsockets.h>
#include <poll.h>

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <utility>

#include "net/lws_write.h"
#include "session/websocket_frame.h"

namespace tickwire {
namespace {

// RFC 6455 5.5: a control frame's payload is 125 bytes at most, 2 of them the code.
constexpr std::size_t kCloseReasonBytesMax = 123;
// lws hides an empty pong from us.
constexpr std::string_view kPing{"\x89\x04tick", 6};
constexpr std::size_t kPingedWriteBytesMax = 4U << 10U;  // a larger one would be copied for it

std::string close_frame(CloseCode code, std::string_view reason) {
  reason = reason.substr(0, kCloseReasonBytesMax);
  const auto number = static_cast<std::uint16_t>(code);
  std::string frame;
  append_frame_header(frame, Opcode::kClose, false, 2 + reason.size());
  frame += static_cast<char>(number >> 8U);
  frame += static_cast<char>(number & 0xFFU);
  frame += reason;
  return frame;
}

}  // namespace

void Connection::adopt(LoopState& loop, int socket, Opening opening) {
  const std::string bytes = std::exchange(opening.bytes, {});
  auto* client = new Connection(loop, std::move(opening));
  if (loop.context.adopt(socket, client, bytes)) {
    client->resumes_ = true;
    return client->serve(POLLOUT);
  }
  // lws may have gone as far as to destroy it.
  const auto left = std::ranges::find(loop.connections, client);
  if (left != loop.connections.end() && client->wsi_ == nullptr) delete client;
}

Connection::Connection(LoopState& loop, Opening opening)
    : loop_(loop),
      opening_(std::make_unique<Opening>(std::move(opening))),
      incoming_(loop.config.message_bytes_max),
      place_(loop.connections.size()),
      seat_(std::move(opening_->seat)),
      inflater_(loop.inflater_bytes, opening_->client.address),
      unfinished_(loop.unfinished_bytes, opening_->client.address),
      unread_(loop.unread_bytes, opening_->client.address) {
  loop.connections.push_back(this);
  wait(loop_.config.close_ms_max);  // lws answers the handshake at once
}

Connection::~Connection() {
  on_ended();
  loop_.connections[place_] = loop_.connections.back();
  loop_.connections[place_]->place_ = place_;
  loop_.connections.pop_back();
}

void Connection::on_adopted(lws* wsi) {
  wsi_ = wsi;
  lws_set_wsi_user(wsi, this);  // without a user lws does not say that it drops the protocol
}

bool Connection::on_open() {
  if (state_ != State::kOpening) return false;
  if (!loop_.poller.add(lws_get_socket_fd(wsi_), *this, EPOLLIN)) return false;
  state_ = State::kOpen;
  wait_for_silence();
  const std::unique_ptr<Opening> opening = std::move(opening_);
  const auto& [subprotocol, format, deflate] = opening->agreement;
  if (format != Format::kJson) incoming_.expect_binary();
  Compression compression = Compression::kNone;
  if (deflate.accepted) {
    incoming_.expect_compressed(deflate);
    compression = deflate.server_no_context_takeover ? Compression::kNoContext : Compression::kContext;
  }
  const Framing framing{.format = format, .compression = compression};
  session_ = &loop_.shard.open(*this, std::move(opening->client), framing);
  return true;
}

// Not at once, since this may be within a callback of lws.
void Connection::hang_up() {
  state_ = State::kGone;
  wait(0);
}

void Connection::on_ended() {
  state_ = State::kGone;
  Timer::stop();
  const int socket = wsi_ == nullptr ? -1 : lws_get_socket_fd(wsi_);
  if (socket >= 0 && loop_.poller.holds(socket, *this)) loop_.poller.remove(socket);
  drop_message();
  unread_.release();
  if (session_ != nullptr) loop_.shard.on_closed(*std::exchange(session_, nullptr));
}

// --- events ---

void Connection::on_ready(std::uint32_t events) {
  unsigned seen = events & (EPOLLIN | EPOLLOUT);
  if ((events & (EPOLLHUP | EPOLLERR)) != 0) seen |= POLLHUP;
  serve(static_cast<short>(seen));
}

void Connection::serve(short events) {
  constexpr int kOffersMax = 4;  // lws writes one thing at each: a pong, a close; at last it is our turn
  LoopState& loop = loop_;
  const int socket = lws_get_socket_fd(wsi_);
  if (!loop.poller.holds(socket, *this)) return;  // the handshake did not end
  for (int i = 0; i <= kOffersMax; ++i) {
    // lws writes first and reads then, also what it had read before: that can ask for an answer of its own.
    const bool may_read = std::exchange(resumes_, false) || events != POLLOUT;
    may_write_ = false;
    const bool goes_on = loop.context.serve(socket, events);
    if (!loop.poller.holds(socket, *this)) return;  // it is destroyed
    if (!goes_on) on_ending();
    if (lws_holds_part(wsi_) || (may_write_ && !may_read)) break;
    events = POLLOUT;
  }
  update_reading();
  update_polling();
}

// --- WebSocket: out ---

bool Connection::send(std::string_view bytes) {
  if (lws_holds_part(wsi_)) {  // of a pong that lws sent by itself
    pending_ += bytes;
    return book_unread(unread_.held() + bytes.size());
  }
  if (lws_write_raw(wsi_, bytes)) {
    if (!lws_holds_part(wsi_)) return book_unread(0);
    update_reading();
    update_polling();
    return book_unread(bytes.size());
  }
  hang_up();
  return false;
}

// What is begun cannot be taken back, so one that may hold no more is hung up.
bool Connection::book_unread(std::size_t bytes) {
  if (unread_.resize(bytes) == Drawn::kTaken) return true;
  hang_up();
  return false;
}

// Where lws holds a part of a write and reads that the peer has ended its half, it reads that again and
// again, for ever, and the loop with all its clients stands still (4.1.6: it puts off the close, and tries
// the same descriptor once more). So nothing is read then; that a peer is wholly gone is seen all the same.
void Connection::update_reading() {
  const bool wanted = state_ == State::kClosing || wants_reading_;
  const bool on = wanted && !lws_holds_part(wsi_);
  if (on == reading_) return;
  reading_ = on;
  resumes_ = on;
  lws_rx_flow_control(wsi_, on ? 1 : 0);
  update_polling();
}

void Connection::update_polling() {
  const int socket = lws_get_socket_fd(wsi_);
  if (!loop_.poller.holds(socket, *this)) return;
  const bool writing = resumes_ || lws_holds_part(wsi_);
  loop_.poller.change(socket, (reading_ ? EPOLLIN : 0U) | (writing ? EPOLLOUT : 0U));
}

WriteResult Connection::write(std::string_view frames) {
  if (state_ != State::kOpen) return WriteResult::kClosed;
  assert(!blocked_);
  if (ping_due_ && frames.size() <= kPingedWriteBytesMax) {
    expect_pong();
    if (!send(std::string(frames) + std::string(kPing))) return WriteResult::kClosed;
  } else if (!send(frames)) {
    return WriteResult::kClosed;
  }
  blocked_ = lws_holds_part(wsi_);
  return blocked_ ? WriteResult::kBlocked : WriteResult::kSent;
}

void Connection::close(CloseCode code, std::string_view reason, std::string_view last_frames) {
  if (state_ != State::kOpen) return;
  loop_.shard.counters().count(code);
  state_ = State::kClosing;  // whose answer is wanted, whatever the session wanted
  wait(loop_.config.close_ms_max);
  if (!handing_over_) drop_message();
  if (send(std::string(last_frames) + close_frame(code, reason))) update_reading();
}

void Connection::set_reading(bool on) {
  if (state_ != State::kOpen) return;
  wants_reading_ = on;
  update_reading();
}

void Connection::on_writable() {
  may_write_ = true;
  if (state_ == State::kGone || lws_holds_part(wsi_)) return;
  unread_.release();
  if (!pending_.empty()) {
    const std::string frames = std::exchange(pending_, {});
    if (!send(frames) || lws_holds_part(wsi_)) return;
  }
  update_reading();
  if (!std::exchange(blocked_, false) || state_ != State::kOpen) return;
  loop_.shard.on_writable(*session_);
}

// --- WebSocket: in ---

void Connection::on_fragment(const Fragment& fragment) {
  if (state_ != State::kOpen) return;
  heard_ = true;
  if (fragment.first && !fragment.complete()) {
    loop_.start_timer(unfinished_message_, loop_.config.message_ms_max);
  }
  const Received received = receive(fragment);
  if (received.close) return close(*received.close, received.reason, {});
  if (!received.message) return;
  unfinished_message_.stop();
  unfinished_.release();
  handing_over_ = true;
  loop_.shard.on_message(*session_, *received.message);
  handing_over_ = false;
  if (state_ != State::kOpen) return drop_message();
  incoming_.release();
  (void)book_inflater();  // less than before
}

// What is refused makes room for others at once, also while its client has yet to answer the close.
void Connection::drop_message() {
  incoming_.close();
  (void)book_inflater();
  unfinished_message_.stop();
  unfinished_.release();
}

Received Connection::receive(const Fragment& fragment) {
  const Received received = incoming_.feed(fragment);
  if (!book_inflater()) {
    return {CloseCode::kTooSlow, "no memory for compressed messages, try again later", std::nullopt};
  }
  if (unfinished_.resize(incoming_.unfinished_bytes()) != Drawn::kTaken) {
    return {CloseCode::kTooSlow, "no memory for unfinished messages, try again later", std::nullopt};
  }
  return received;
}

bool Connection::book_inflater() {
  return inflater_.resize(incoming_.inflater_bytes()) == Drawn::kTaken;
}

void Connection::on_pong() {
  if (state_ != State::kOpen) return;
  wait_for_silence();
}

bool Connection::on_peer_close(std::string_view payload) {
  if (state_ != State::kOpen) return false;  // the answer to ours
  if (payload.size() == 1) {                 // lws would send it back
    close(CloseCode::kProtocolError, "close frame of one byte", {});
    return false;
  }
  on_ending();
  return true;
}

void Connection::on_ending() {
  if (state_ != State::kOpen) return;
  state_ = State::kClosing;
  wait(loop_.config.close_ms_max);
}

// --- time ---

void Connection::on_due() {
  if (state_ == State::kOpen) return look_for_life();
  // What an end of the connection is to lws: it is not polite about what it still holds.
  loop_.context.serve(lws_get_socket_fd(wsi_), POLLHUP);
}

// A socket that takes nothing, or that we do not read, cannot be pinged; its session's age limit decides.
void Connection::look_for_life() {
  const bool alive = std::exchange(heard_, false) || blocked_ || !reading_;
  if (alive) return wait_for_silence();
  if (pinged_) return close(CloseCode::kNoPong, "no pong in time", {});
  if (std::exchange(ping_due_, true)) {
    expect_pong();
    send(kPing);
  } else {
    wait(loop_.config.ping_after_ms / 2);
  }
}

void Connection::wait_for_silence() {
  pinged_ = false;
  ping_due_ = false;
  wait(loop_.spread(loop_.config.ping_after_ms / 2));
}

void Connection::expect_pong() {
  pinged_ = true;
  ping_due_ = false;
  wait(loop_.config.pong_ms_max);
}

// One that we do not read cannot finish it.
void Connection::on_message_overdue() {
  if (state_ != State::kOpen) return;
  if (!reading_) return loop_.start_timer(unfinished_message_, loop_.config.message_ms_max);
  close(CloseCode::kTooSlow, "a message was not complete in time", {});
}

void Connection::end() {
  if (state_ == State::kOpen) return close(CloseCode::kGoingAway, "the server ended", {});
}

}  // namespace tickwire
