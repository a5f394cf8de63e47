#include "net/request_session.h"

#include <utility>

#include "protocol/answer.h"
#include "session/framing.h"

namespace tickwire {
namespace {

Error error_of(CloseCode code, std::string_view reason) {
  switch (code) {
    case CloseCode::kDrain:
    case CloseCode::kGoingAway:
      return {ErrorCode::kDraining, "the server is going away", ""};
    case CloseCode::kNeedsFreshToken:
      return {ErrorCode::kUnavailable, std::string(reason), "token"};
    case CloseCode::kNotAllowed:
    case CloseCode::kRevoked:
      return {ErrorCode::kDenied, std::string(reason), ""};
    default:
      return {ErrorCode::kTooMany, std::string(reason), ""};
  }
}

Error no_room(Limit limit) {
  if (limit == Limit::kUnreadPerConnection) {
    return {ErrorCode::kTooLarge, "the answer is too long; ask for fewer topics, or for a stream (/sse)", "",
            limit};
  }
  return {ErrorCode::kTooMany, "too much memory is held by answers; try again later", "", limit};
}

}  // namespace

RequestSession::RequestSession(LoopState& loop, std::uint64_t number, ClientInfo client,
                               std::unique_ptr<RequestPlan> plan)
    : loop_(loop), number_(number), plan_(std::move(plan)), gathered_(loop.unread_bytes, client.address) {
  session_ = &loop.shard.open(*this, std::move(client), Framing{.carrier = Carrier::kRequest});
}

// The plan goes after the session, which may know of it.
RequestSession::~RequestSession() {
  loop_.shard.on_closed(*session_);
}

std::optional<RequestSession::Outcome> RequestSession::look() {
  woken_ = false;
  if (!begun_ && !outcome_) begin();
  for (const std::string& payload : std::exchange(heard_, {})) {
    if (!outcome_) plan_->on_message(*this, payload);
  }
  if (begun_ && !outcome_) plan_->on_settled(*this);
  if (std::exchange(reads_again_, false) && reads_ && begun_ && !outcome_) plan_->on_reading(*this);
  return std::exchange(outcome_, std::nullopt);
}

std::optional<RequestSession::Outcome> RequestSession::on_due() {
  if (!begun_) refuse({ErrorCode::kUnavailable, "token: nobody could judge it in time", "token"});
  if (!outcome_) plan_->on_due(*this);
  return std::exchange(outcome_, std::nullopt);
}

// What comes before the plan has asked for anything is the answer to the token.
void RequestSession::begin() {
  for (const std::string& payload : std::exchange(heard_, {})) {
    if (const auto refused = read_error(payload)) return refuse(*refused);
  }
  if (session_->authenticating) return;
  begun_ = true;
  plan_->begin(*this);
}

void RequestSession::answer(Outcome outcome) {
  if (outcome_) return;
  outcome_ = std::move(outcome);
  wake();
}

void RequestSession::refuse(const Error& error) {
  answer(error_response(error));
}

void RequestSession::wake() {
  if (std::exchange(woken_, true)) return;
  loop_.shard.post([&loop = loop_, number = number_] { loop.look_at(number); });
}

WriteResult RequestSession::write(std::string_view messages) {
  if (const auto limit = gathered_.resize(gathered_.held() + messages.size())) {
    refuse(no_room(*limit));
    return WriteResult::kClosed;
  }
  while (!messages.empty()) heard_.emplace_back(take_sized(messages));
  wake();
  return WriteResult::kSent;
}

void RequestSession::close(CloseCode code, std::string_view reason, std::string_view last_messages) {
  loop_.shard.counters().count(code);
  write(last_messages);
  answer(error_response(error_of(code, reason)));
}

void RequestSession::set_reading(bool on) {
  reads_ = on;
  if (!on) return;
  reads_again_ = true;
  wake();
}

}  // namespace tickwire
