// HttpConnection: one client's socket from accept on, for one request: it is answered and the connection
// closed, or it becomes a WebSocket.
//
//   head ──> (body) ──> answering ──> lingering ──> gone
//     │          ^
//     ├──> awaiting                      its answer is put together in pieces, or on other loops, or its
//     │                                  session waits for something (RequestSession)
//     ├──> (becomes a WebSocket, or a stream of events: Connection, or EventStream, goes on with the
//     │     stream, and this is gone)
//     any ─────────────────────> gone    a deadline, a limit, an error, the end of the server
//
// Lingering: what the client still sends is read and thrown away for a while. The kernel resets a connection
// that is closed over unread bytes, and the client would lose its answer.
//
// One request a connection, so that nothing can stand behind the one that is answered. Loop thread. Owns
// itself: it deletes itself when gone. In loop.http; its timer runs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/shares.h"
#include "net/admin_request.h"
#include "net/client_address.h"
#include "net/door.h"
#include "net/http_exchange.h"
#include "net/http_router.h"
#include "net/identity.h"
#include "net/loop_state.h"
#include "net/places.h"
#include "net/poller.h"
#include "net/publish_request.h"
#include "net/request_head.h"
#include "net/request_session.h"
#include "net/stream.h"

namespace tickwire {

class HttpConnection final : public Pollee, public LoopTimer {
 public:
  // Takes ownership of an accepted, non-blocking socket, also where it refuses it. `client`: who is known to
  // be there so far; the request may name another one, where a proxy wrote it (net/forwarded.h).
  static void adopt(LoopState& loop, int socket, const Entrance& entrance, const ClientAddress& client);
  ~HttpConnection() override;
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  [[nodiscard]] Door door() const { return entrance_.door; }
  void on_ready(std::uint32_t events) override;
  void on_due() override;
  void on_fault() override { delete this; }
  // The server stops: closes, unless an answer is under way.
  void end();
  // What it waited for is there.
  void answer(HttpResponse response);
  // Its session has something to look at.
  void look();

 private:
  enum class State : std::uint8_t { kHead, kBody, kAwaiting, kAnswering, kLingering };

  // What limits count `client` as until its request has been read.
  static PeerAddress counted(const LoopState& loop, const Entrance& entrance, const ClientAddress& client);
  HttpConnection(LoopState& loop, Stream stream, const Entrance& entrance, const ClientAddress& client,
                 Places places);
  void read_head();
  void on_head(std::size_t size);
  // False: a proxy named somebody who is refused, which it is told.
  bool meet_client(const RequestHead& head);
  // Who its client is, and whether its page may use the server. False: it is refused, which it is told.
  bool identify_client(const RequestHead& head);
  void on_upgrade(const RequestHead& head, std::size_t size);
  void on_publish(const RequestHead& head, std::size_t size);
  // What the admin listener is asked without a right to it (http_connection_admin.cc).
  void note_refused(const RequestHead& head);
  [[nodiscard]] AdminActor actor(std::string who) const;
  // An admin's request with a body (http_connection_admin.cc).
  void on_action(const RequestHead& head, const HttpRequest& request, std::size_t size);
  void await_action(const std::string& body);
  // Reads the body, of which some may stand behind the head, whose bytes are so many.
  void begin_body(const RequestHead& head, std::size_t size);
  void read_body();
  void on_subscribe(const RequestHead& head);
  // From now on number_ finds it in loop.awaited.
  void begin_await();
  // False: too many answers are under way, which it is told.
  bool book_answer();
  bool takes_sessions();
  ClientInfo client_info();
  void await_session(std::unique_ptr<RequestPlan> plan);
  void settle(std::optional<RequestSession::Outcome> outcome);
  void await_pieces(AnswerInPieces pieces);
  void await_sessions(const SessionsQuery& query);
  void refuse(const Refusal& refusal);
  void refuse(int status, ErrorCode code, std::string_view message);
  // Sends what the socket takes, and goes on to the next state when it took all.
  void send_answer();
  void keep_answering();
  void begin_linger();
  void read_rest();
  void wait(int ms) { loop_.start_timer(*this, ms); }
  void enter(State state, std::uint32_t events);

  LoopState& loop_;
  Stream stream_;
  const Entrance entrance_;
  ClientAddress client_;
  PeerAddress address_;  // what limits count the client as
  State state_ = State::kHead;
  Places places_;
  Share answer_;  // of the answers under way
  Share bytes_;   // of the unfinished heads' bytes, then of the unread answers'
  std::string method_;
  std::optional<Refusal> page_refusal_;  // of the page that asks
  std::string head_;                     // so far
  HeadScanner scanner_;
  PublishBody publish_ = PublishBody::kJson;
  const AdminAddress* action_ = nullptr;  // of an admin's request with a body
  std::size_t body_bytes_ = 0;            // of the body, whole; so far it stands in head_
  Identity identity_;                     // which its session gets; none at the admin's doors
  std::uint64_t number_ = 0;              // in loop.awaited, while it awaits
  std::unique_ptr<RequestSession> session_;
  std::unique_ptr<HttpExchange> exchange_;
  std::size_t lingered_bytes_ = 0;
};

}  // namespace tickwire
