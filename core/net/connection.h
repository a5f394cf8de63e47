// Connection: one client's WebSocket, of which it is the Socket that a session writes to. HttpConnection read
// the request for it, and hands on the stream.
//
//   open ──> closing ──> ended ──> gone     `closing`: our close frame is written, the client's has yet to
//   come;
//     │         │                           `ended`: nothing more is read or written, and the end of the
//     └─────────┴──────────────────> gone    client's half is waited for; hung up
//
// `ended` also follows a fault in the framing, behind which no close frame can be found any more. The kernel
// resets a connection that is closed over unread bytes, and the client could lose our close frame: so what
// still comes is thrown away until the client has closed, for a while.
//
// Loop thread. Owns itself: it deletes itself when gone. In loop.connections.
// Invariants: its timer runs; session_ or echo_ is set while open or closing; nothing is read while a part of
// a write waits for the socket; nothing is written after a close frame. What was read and may not be looked
// at yet (rest_) is at most one read and one control frame long.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/limit.h"
#include "base/shares.h"
#include "net/echo.h"
#include "net/incoming_message.h"
#include "net/loop_state.h"
#include "net/stream.h"
#include "net/unread.h"
#include "net/upgrade.h"
#include "session/client_info.h"
#include "session/frame_reader.h"
#include "session/socket.h"

namespace tickwire {

// What HttpConnection found out about a client.
struct Opening {
  ClientInfo client;
  Agreement agreement;
  std::string answer;  // to the request: what is written first
  std::string bytes;   // that the client sent behind its request
  Share seat;          // of the plant's connections
};

class Connection final : public Socket, public Pollee, public LoopTimer {
 public:
  // The time that is left for the rest of a message.
  struct UnfinishedMessage final : LoopTimer {
    explicit UnfinishedMessage(Connection& owner) : owner(owner) {}
    void on_due() override { owner.on_message_overdue(); }
    void on_fault() override { owner.on_fault(); }
    Connection& owner;
  };

  static void open(LoopState& loop, Stream stream, Opening opening);
  ~Connection() override;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // --- Socket -----------------------------------------------------------------------------------------
  WriteResult write(std::string_view frames) override;
  void close(CloseCode code, std::string_view reason, std::string_view last_frames) override;
  void set_reading(bool on) override;

  // --- called by the loop -----------------------------------------------------------------------------
  void on_ready(std::uint32_t events) override;
  void on_due() override;
  // Its client connects again.
  void on_fault() override { hang_up(); }
  void on_message_overdue();
  // The server stops.
  void end();

 private:
  enum class State : std::uint8_t { kOpen, kClosing, kEnded, kGone };

  Connection(LoopState& loop, Stream stream, Opening& opening);
  void begin(Opening opening);

  // --- in ---
  // May destroy this.
  void serve(std::uint32_t events);
  [[nodiscard]] bool reads() const;
  // Has the poller look for what this waits for.
  void update();
  // Reads once. False: the client is gone.
  bool receive();
  // Looks at frames, a bounded number of them, and keeps what is left.
  void look_at(std::span<char> bytes);
  void on_frame(const FrameEvent& event);
  void on_fragment(const Fragment& fragment);
  void hand_over(std::string_view message, bool binary);
  void on_peer_close(std::uint16_t code);
  void answer_ping();
  Received receive(const Fragment& fragment);
  // There will be no more messages.
  void drop_message();
  // The limit that is in the way.
  [[nodiscard]] std::optional<Limit> book_inflater();
  [[nodiscard]] std::optional<Limit> book_unfinished();

  // --- out ---
  bool send(std::string_view bytes);
  void on_flushed();
  // close(), because of `limit`.
  void close_for(Limit limit, CloseCode code, const char* reason);

  // --- time and end ---
  void look_for_life();
  void wait_for_silence();
  // The ping leaves now.
  void expect_pong();
  // Nothing more is read or written.
  void finish();
  void end_session();
  // Not at once, since the session may be calling.
  void hang_up();
  void wait(int ms) { loop_.start_timer(*this, ms); }

  LoopState& loop_;
  Stream stream_;
  Session* session_ = nullptr;
  FrameReader frames_;
  IncomingMessage incoming_;
  std::unique_ptr<Echo> echo_;  // in place of a session
  std::string rest_;            // read, but not looked at yet
  std::string pong_;            // the answer to the latest ping
  std::size_t place_;           // in loop_.connections
  const Share seat_;            // of the plant's connections
  Share inflater_;
  Share unfinished_;  // bytes of the message under way, and of rest_
  Unread unread_;
  UnfinishedMessage unfinished_message_{*this};
  std::size_t lingered_bytes_ = 0;  // what came behind our close
  State state_ = State::kOpen;
  bool blocked_ = false;
  bool handing_over_ = false;  // the session looks at a message of incoming_
  bool wants_reading_ = true;  // the session
  bool more_ = false;          // whole frames may stand in rest_
  bool heard_ = false;         // since the last look
  bool ping_due_ = false;      // it leaves with the next write
  bool pinged_ = false;
};

}  // namespace tickwire
