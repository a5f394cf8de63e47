#include "net/connection.h"

#include <cassert>
#include <cstddef>
#include <utility>

#include "base/fault.h"
#include "session/websocket_frame.h"

namespace tickwire {
namespace {

constexpr std::size_t kCloseReasonBytesMax = kControlPayloadBytesMax - 2;  // behind the code
constexpr std::string_view kPing{"\x89\x04tick", 6};
constexpr std::size_t kPingedWriteBytesMax = 4U << 10U;  // a larger one would be copied for it
constexpr int kFramesPerTurnMax = 64;                    // then others have their turn
constexpr const char* kNoRoomUnfinished = "no memory for unfinished messages, try again later";

std::string close_frame(std::uint16_t code, std::string_view reason) {
  reason = reason.substr(0, kCloseReasonBytesMax);
  std::string frame;
  if (code == 0) {
    append_frame_header(frame, Opcode::kClose, false, 0);
    return frame;
  }
  append_frame_header(frame, Opcode::kClose, false, 2 + reason.size());
  frame += static_cast<char>(code >> 8U);
  frame += static_cast<char>(code & 0xFFU);
  frame += reason;
  return frame;
}

}  // namespace

void Connection::open(LoopState& loop, Stream stream, Opening opening) {
  auto* client = new Connection(loop, std::move(stream), opening);
  if (!client->stream_.poll(*client, EPOLLIN)) {
    delete client;
    return;
  }
  client->begin(std::move(opening));
}

Connection::Connection(LoopState& loop, Stream stream, Opening& opening)
    : loop_(loop),
      stream_(std::move(stream)),
      incoming_(loop.config.message_bytes_max),
      place_(loop.connections.size()),
      seat_(std::move(opening.seat)),
      inflater_(loop.inflater_bytes, opening.client.address),
      unfinished_(loop.unfinished_bytes, opening.client.address),
      unread_(loop, opening.client.address) {
  loop.connections.push_back(this);
}

Connection::~Connection() {
  Timer::stop();
  end_session();
  loop_.connections[place_] = loop_.connections.back();
  loop_.connections[place_]->place_ = place_;
  loop_.connections.pop_back();
}

void Connection::begin(Opening opening) {
  wait_for_silence();
  const auto& [subprotocol, format, deflate, echoes] = opening.agreement;
  if (echoes) incoming_.expect_any();
  if (format != Format::kJson) incoming_.expect_binary();
  Compression compression = Compression::kNone;
  if (deflate.accepted) {
    incoming_.expect_compressed(deflate);
    compression = deflate.server_no_context_takeover ? Compression::kNoContext : Compression::kContext;
  }
  if (!send(opening.answer)) return;
  if (echoes) {
    echo_ = std::make_unique<Echo>(deflate.accepted);
  } else {
    const Framing framing{.format = format, .compression = compression};
    session_ = &loop_.shard.open(*this, std::move(opening.client), framing);
  }
  look_at(opening.bytes);
  update();
}

// --- events ---

void Connection::on_ready(std::uint32_t events) {
  if (!contained(Boundary::kWebsocket, "an event of a WebSocket", [&] { serve(events); })) on_fault();
}

void Connection::serve(std::uint32_t events) {
  const bool flushes = (events & EPOLLOUT) != 0 && stream_.holds_part();
  if (flushes) {
    if (!stream_.flush()) return delete this;
    if (!stream_.holds_part()) on_flushed();
  }
  const bool readable = (events & EPOLLIN) != 0 || ((events & EPOLLOUT) != 0 && !flushes);
  if (readable && reads()) {
    if (!receive()) return delete this;
  } else if ((events & (EPOLLHUP | EPOLLERR)) != 0) {
    return delete this;
  }
  update();
}

bool Connection::reads() const {
  return !stream_.holds_part() && (wants_reading_ || state_ != State::kOpen);
}

void Connection::update() {
  if (state_ == State::kGone) return;
  stream_.update(reads() ? EPOLLIN : 0U);
  if (reads() && more_) stream_.again();
}

// --- WebSocket: out ---

bool Connection::send(std::string_view bytes) {
  const bool sent = unread_.write(stream_, bytes);
  if (!sent) hang_up();
  return sent;
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
  blocked_ = stream_.holds_part();
  if (!blocked_) return WriteResult::kSent;
  update();
  return WriteResult::kBlocked;
}

void Connection::close(CloseCode code, std::string_view reason, std::string_view last_frames) {
  if (state_ != State::kOpen) return;
  loop_.shard.counters().count(code);
  state_ = State::kClosing;  // whose answer is wanted, whatever the session wanted
  wait(loop_.config.close_ms_max);
  if (!handing_over_) drop_message();
  if (send(std::string(last_frames) + close_frame(static_cast<std::uint16_t>(code), reason))) update();
}

void Connection::close_for(Limit limit, CloseCode code, const char* reason) {
  if (state_ == State::kOpen) loop_.count(limit);
  close(code, reason, {});
}

void Connection::set_reading(bool on) {
  if (state_ != State::kOpen) return;
  wants_reading_ = on;
  update();
}

void Connection::on_flushed() {
  unread_.release();
  if (state_ == State::kEnded) return stream_.end_writing();
  if (state_ != State::kOpen) return;
  if (std::exchange(blocked_, false)) loop_.shard.on_writable(*session_);
}

// --- WebSocket: in ---

bool Connection::receive() {
  if (more_) {
    std::string rest = std::exchange(rest_, {});
    look_at(rest);
    return true;
  }
  const auto read = stream_.read();
  if (!read) return false;
  if (state_ != State::kOpen) {
    lingered_bytes_ += read->size();
    if (lingered_bytes_ > loop_.config.linger_bytes_max + loop_.config.message_bytes_max) {
      loop_.count(Limit::kLingerBytes);
      return false;
    }
  }
  if (rest_.empty()) {
    look_at(*read);
  } else {
    std::string all = std::exchange(rest_, {});
    all.append(read->data(), read->size());
    look_at(all);
  }
  return true;
}

void Connection::look_at(std::span<char> bytes) {
  more_ = false;
  for (int i = 0; !bytes.empty() && (state_ == State::kOpen || state_ == State::kClosing); ++i) {
    more_ = i == kFramesPerTurnMax || !reads();
    if (more_) break;
    const FrameEvent event = frames_.next(bytes);
    if (event.kind == FrameEvent::Kind::kIncomplete) break;
    on_frame(event);
  }
  answer_ping();
  if (state_ == State::kOpen || state_ == State::kClosing) rest_.assign(bytes.data(), bytes.size());
  if (const auto limit = book_unfinished()) close_for(*limit, CloseCode::kTooSlow, kNoRoomUnfinished);
}

void Connection::on_frame(const FrameEvent& event) {
  using Kind = FrameEvent::Kind;
  heard_ = true;
  if (event.kind == Kind::kFault) {
    close(event.fault, event.reason, {});
    return finish();
  }
  if (event.kind == Kind::kClose) return on_peer_close(event.close_code);
  if (state_ != State::kOpen) return;  // only the answer to our close counts
  if (event.kind == Kind::kData) return on_fragment(event.fragment);
  if (event.kind == Kind::kPong) return wait_for_silence();
  pong_.clear();
  append_frame_header(pong_, Opcode::kPong, false, event.payload.size());
  pong_ += event.payload;
}

void Connection::on_peer_close(std::uint16_t code) {
  if (state_ == State::kOpen) {
    state_ = State::kClosing;
    if (!send(close_frame(code, {}))) return;
  }
  finish();
}

// The latest of several that came at once: RFC 6455 section 5.5.3.
void Connection::answer_ping() {
  const std::string pong = std::exchange(pong_, {});
  if (!pong.empty() && state_ == State::kOpen) (void)send(pong);
}

void Connection::on_fragment(const Fragment& fragment) {
  if (fragment.first && !fragment.complete()) {
    loop_.start_timer(unfinished_message_, loop_.config.message_ms_max);
  }
  const Received received = receive(fragment);
  if (received.close) {
    if (received.limit) {
      close_for(*received.limit, *received.close, received.reason);
    } else {
      close(*received.close, received.reason, {});
    }
    if (*received.close == CloseCode::kProtocolError) finish();  // nothing after it can be understood
    return;
  }
  if (!received.message) return;
  unfinished_message_.stop();
  unfinished_.release();
  hand_over(*received.message, fragment.binary);
  if (state_ != State::kOpen) return drop_message();
  incoming_.release();
  (void)book_inflater();  // less than before
}

void Connection::hand_over(std::string_view message, bool binary) {
  if (echo_ != nullptr) {
    (void)send(echo_->frame(message, binary));
    return;
  }
  handing_over_ = true;
  loop_.shard.on_message(*session_, message);
  handing_over_ = false;
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
  if (const auto limit = book_inflater())
    return {CloseCode::kTooSlow, "no memory for compressed messages, try again later", limit};
  if (const auto limit = book_unfinished()) return {CloseCode::kTooSlow, kNoRoomUnfinished, limit};
  return received;
}

std::optional<Limit> Connection::book_inflater() {
  return inflater_.resize(incoming_.inflater_bytes());
}

std::optional<Limit> Connection::book_unfinished() {
  return unfinished_.resize(incoming_.unfinished_bytes() + rest_.size());
}

// --- time and end ---

void Connection::on_due() {
  if (state_ == State::kOpen) return look_for_life();
  if (state_ != State::kGone) loop_.count(Limit::kLingerTime);
  delete this;
}

void Connection::finish() {
  if (state_ == State::kGone) return;
  state_ = State::kEnded;
  wait(loop_.config.close_ms_max);
  end_session();
  if (!stream_.holds_part()) stream_.end_writing();
}

void Connection::end_session() {
  drop_message();
  std::string().swap(rest_);
  if (session_ != nullptr) loop_.shard.on_closed(*std::exchange(session_, nullptr));
}

void Connection::hang_up() {
  state_ = State::kGone;
  wait(0);
}

// A socket that takes nothing, or that we do not read, cannot be pinged; its session's age limit decides.
void Connection::look_for_life() {
  const bool alive = std::exchange(heard_, false) || blocked_ || !reads();
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
  if (!reads()) return loop_.start_timer(unfinished_message_, loop_.config.message_ms_max);
  close_for(Limit::kMessageTime, CloseCode::kTooSlow, "a message was not complete in time");
}

void Connection::end() {
  if (state_ == State::kOpen) return close(CloseCode::kGoingAway, "the server ended", {});
}

}  // namespace tickwire
