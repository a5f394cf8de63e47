// Connection: one client's socket from accept to end: first HTTP requests, then perhaps a WebSocket, of which
// it is the Socket that a session writes to.
//
//   request ──> answering ──> request      HTTP; `answering` where the answer, or the client, takes its time
//   request ──> open ──> closing ──> gone  WebSocket; `closing` from our close frame (or the peer's) on
//   any ──────> gone                       hung up
//
// Loop thread. Destroyed by lws' last callback for it; owns the unfinished HTTP answer.
// Invariants: nothing is read while lws holds a part of a write; in exactly one deadline list until gone;
// session_ is set from open to the end of the connection; nothing is written while lws holds a part of the
// last write, nor after a close frame.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "fanout/session_report.h"
#include "net/deadline_list.h"
#include "net/http_exchange.h"
#include "net/incoming_message.h"
#include "net/loop_state.h"
#include "net/lws_context.h"
#include "session/socket.h"

struct lws;

namespace tickwire {

class Connection final : public Socket, public DeadlineNode {
 public:
  // Makes one for an accepted socket, which is taken over in any case.
  static void adopt(LoopState& loop, LwsContext& context, int socket);
  explicit Connection(LoopState& loop);
  ~Connection() override;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // --- Socket -----------------------------------------------------------------------------------------
  WriteResult write(std::string_view frames) override;
  void close(CloseCode code, std::string_view reason, std::string_view last_frames) override;
  void set_reading(bool on) override;

  // --- called by lws; false: hang up ------------------------------------------------------------------
  bool on_request();
  bool on_upgrade_request();
  bool on_answer_writable();
  // lws asks once for each permessage-deflate in the header; false: not that one.
  bool on_deflate_offer();
  bool on_open();
  void on_fragment(const Fragment& fragment);
  void on_pong();
  bool on_peer_close(std::string_view payload);
  void on_writable();
  void on_ending();  // lws ends it by itself, because of what the client sent
  void on_ended();

  // --- called by the loop -----------------------------------------------------------------------------
  void on_overdue();
  // The server stops.
  void end();

 private:
  enum class State : std::uint8_t { kRequest, kAnswering, kOpen, kClosing, kGone };

  bool send(std::string_view bytes);
  void update_reading();
  Received receive(const Fragment& fragment);
  [[nodiscard]] bool book_inflater();
  bool answer(HttpResponse response, const HttpRequest& request);
  bool await_sessions(const SessionsQuery& query, const HttpRequest& request);
  // False: too many wait already, and it is hung up.
  bool begin_answering();
  bool go_on_answering();
  void end_answering();
  void hang_up();
  void wait(DeadlineList& list) { list.start(*this, loop_.clock.steady_us()); }

  LoopState& loop_;
  lws* wsi_ = nullptr;
  Session* session_ = nullptr;
  std::unique_ptr<HttpExchange> exchange_;
  IncomingMessage incoming_;
  std::string pending_;           // frames that wait for lws to finish a part of another write
  std::size_t place_;             // in loop_.connections
  std::size_t booked_bytes_ = 0;  // in loop_.inflater_bytes
  Compression compression_ = Compression::kNone;
  std::uint8_t deflate_offers_ = 0;  // that lws has asked about
  State state_ = State::kRequest;
  bool blocked_ = false;
  bool wants_reading_ = true;  // the session
  bool reading_ = true;
  bool heard_ = false;  // since the last look
  bool pinged_ = false;
};

}  // namespace tickwire
