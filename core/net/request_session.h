// RequestSession: the session that one HTTP request has for itself, so that what comes by HTTP is held to the
// same limits, admitted by the same authorizers and counted in the same places as what comes by WebSocket.
// A RequestPlan says what the request does with it.
//
//   opened ──> its token is judged ──> begun: the plan asks and hears ──> answered, once
//
// Loop thread. Owned by its HttpConnection, which calls look() each time the posted call about its number
// comes. A session never hears of its plan from within one of its own calls: what it writes is kept until
// look().
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/shares.h"
#include "net/http_message.h"
#include "net/loop_state.h"
#include "session/client_info.h"
#include "session/socket.h"

namespace tickwire {

class RequestSession;

// What a request does with its session. Loop thread.
class RequestPlan {
 public:
  virtual ~RequestPlan() = default;
  // The session is open and its token was judged. on_settled() comes next.
  virtual void begin(RequestSession& session) = 0;
  // The payload of a message to it, as JSON.
  virtual void on_message(RequestSession& session, std::string_view payload) = 0;
  // All that came so far was handed on.
  virtual void on_settled(RequestSession& /*session*/) {}
  // The session reads on, after it did not.
  virtual void on_reading(RequestSession& /*session*/) {}
  // How long the request may wait for its answer, ms; 0: as long as any.
  [[nodiscard]] virtual int wait_ms() const { return 0; }
  // That time is over, some while after begin().
  virtual void on_due(RequestSession& session) = 0;
};

class RequestSession final : public Socket {
 public:
  using Outcome = std::variant<HttpResponse, AnswerInPieces>;

  // `number`: that of its connection in loop.awaited.
  RequestSession(LoopState& loop, std::uint64_t number, ClientInfo client, std::unique_ptr<RequestPlan> plan);
  ~RequestSession() override;
  RequestSession(const RequestSession&) = delete;
  RequestSession& operator=(const RequestSession&) = delete;

  // Goes on with what has come. The answer, once there is one; nothing of this is to be called afterwards.
  std::optional<Outcome> look();
  // The plan's time is over.
  std::optional<Outcome> on_due();
  [[nodiscard]] int wait_ms() const { return plan_->wait_ms(); }

  // --- for the plan -----------------------------------------------------------------------------------
  // The first answer counts.
  void answer(Outcome outcome);
  // With the status that its code has (docs/PROTOCOL.md).
  void refuse(const Error& error);
  // There is more to do: on_settled() comes again, when others had their turn.
  void look_again() { wake(); }
  void say(std::string_view command) { loop_.shard.on_message(*session_, command); }
  [[nodiscard]] bool reads() const { return reads_; }
  [[nodiscard]] bool answered() const { return outcome_.has_value(); }
  [[nodiscard]] Shard& shard() { return loop_.shard; }
  [[nodiscard]] Session& session() { return *session_; }

  // --- Socket -----------------------------------------------------------------------------------------
  WriteResult write(std::string_view messages) override;
  void close(CloseCode code, std::string_view reason, std::string_view last_messages) override;
  void set_reading(bool on) override;

 private:
  // look() is called soon.
  void wake();
  void begin();

  LoopState& loop_;
  const std::uint64_t number_;
  const std::unique_ptr<RequestPlan> plan_;
  Session* session_ = nullptr;
  Share gathered_;                  // bytes of messages, which its answer may hold
  std::vector<std::string> heard_;  // payloads
  std::optional<Outcome> outcome_;
  bool begun_ = false;
  bool reads_ = true;
  bool reads_again_ = false;  // the plan has yet to hear of it
  bool woken_ = false;        // a posted call is on its way
};

}  // namespace tickwire
