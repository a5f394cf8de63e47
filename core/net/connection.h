// Connection: one client's WebSocket, of which it is the Socket that a session writes to. HttpConnection read
// the request for it.
//
//   opening ──> open ──> closing ──> gone     `opening` until lws has answered the handshake; `closing` from
//   our close any ──────> gone                          frame (or the peer's) on; hung up
//
// lws is told what the loop's poller saw of the socket, and after each event it may write until it has
// nothing more to write: its pongs and closes leave then. So the poller looks for EPOLLOUT only while lws
// holds a part of a write, or while bytes that lws has read already wait for the reading to go on.
//
// Loop thread. Destroyed by lws' last callback for it.
// Invariants: nothing is read while lws holds a part of a write; polled from open on, until lws has closed
// the socket; its timer runs; session_ is set from open to the end of the connection; nothing is written
// while lws holds a part of the last write, nor after a close frame.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/shares.h"
#include "net/incoming_message.h"
#include "net/loop_state.h"
#include "net/upgrade.h"
#include "session/client_info.h"
#include "session/socket.h"

struct lws;

namespace tickwire {

// What HttpConnection found out about a client.
struct Opening {
  ClientInfo client;
  Agreement agreement;
  std::string bytes;  // for lws to read first: the handshake, and what the client sent behind it
  Share seat;         // of the plant's connections
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

  // Takes ownership of `socket`, also where it fails.
  static void adopt(LoopState& loop, int socket, Opening opening);
  Connection(LoopState& loop, Opening opening);
  ~Connection() override;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // --- Socket -----------------------------------------------------------------------------------------
  WriteResult write(std::string_view frames) override;
  void close(CloseCode code, std::string_view reason, std::string_view last_frames) override;
  void set_reading(bool on) override;

  // --- called by lws; false: hang up ------------------------------------------------------------------
  // The first callback for it.
  void on_adopted(lws* wsi);
  bool on_open();
  void on_fragment(const Fragment& fragment);
  void on_pong();
  bool on_peer_close(std::string_view payload);
  void on_writable();
  void on_ending();  // lws ends it by itself, because of what the client sent
  void on_ended();

  // --- called by the loop -----------------------------------------------------------------------------
  void on_ready(std::uint32_t events) override;
  void on_due() override;
  // Its client connects again.
  void on_fault() override { hang_up(); }
  void on_message_overdue();
  // The server stops.
  void end();

 private:
  enum class State : std::uint8_t { kOpening, kOpen, kClosing, kGone };

  bool send(std::string_view bytes);
  void update_reading();
  // Has the poller look for what this waits for.
  void update_polling();
  // Hands an event to lws, and then the chance to write. May destroy this.
  void serve(short events);
  void look_for_life();
  void wait_for_silence();
  // The ping leaves now.
  void expect_pong();
  Received receive(const Fragment& fragment);
  // There will be no more messages.
  void drop_message();
  [[nodiscard]] bool book_inflater();
  // What lws and this hold of what was written.
  [[nodiscard]] bool book_unread(std::size_t bytes);
  void hang_up();
  void wait(int ms) { loop_.start_timer(*this, ms); }

  LoopState& loop_;
  lws* wsi_ = nullptr;
  Session* session_ = nullptr;
  std::unique_ptr<Opening> opening_;  // while opening
  IncomingMessage incoming_;
  std::string pending_;  // frames that wait for lws to finish a part of another write
  std::size_t place_;    // in loop_.connections
  const Share seat_;     // of the plant's connections
  Share inflater_;
  Share unfinished_;  // bytes of the message under way
  Share unread_;      // bytes that the client has not taken
  UnfinishedMessage unfinished_message_{*this};
  State state_ = State::kOpening;
  bool blocked_ = false;
  bool handing_over_ = false;  // the session looks at a message of incoming_
  bool wants_reading_ = true;  // the session
  bool reading_ = true;
  bool resumes_ = false;    // reading goes on, and lws may have read something before
  bool may_write_ = false;  // lws has said so since the last event
  bool heard_ = false;      // since the last look
  bool ping_due_ = false;   // it leaves with the next write
  bool pinged_ = false;
};

}  // namespace tickwire
