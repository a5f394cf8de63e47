// What HttpConnection does with requests that get a session: a WebSocket, a stream of events, and those that
// have one for themselves (RequestSession).
#include "net/http_connection.h"

#include <fmt/format.h>

#include <optional>
#include <utility>
#include <variant>

#include "net/connection.h"
#include "net/event_stream.h"
#include "net/header_text.h"
#include "net/subscribe_request.h"
#include "net/upgrade.h"

namespace tickwire {

void HttpConnection::on_upgrade(const RequestHead& head, std::size_t size) {
  const Doing doing(loop_.shard.pulse(), Activity::kUpgrade);
  if (door() != Door::kPublic) {
    return refuse(404, ErrorCode::kUnknownCommand, "no WebSocket at the admin listener");
  }
  const UpgradeRequest request = upgrade_request(head);
  if (const auto refusal = check_upgrade(request, loop_.config.echo)) return refuse(*refusal);
  if (page_refusal_) return refuse(*page_refusal_);
  if (loop_.draining) return refuse(503, ErrorCode::kDraining, "the server is going away");
  if (!takes_sessions()) return;
  if (head.has_body) return refuse(400, ErrorCode::kBadMessage, "an upgrade has no body");
  Opening opening;
  opening.agreement = agree(request);
  if (!loop_.room_to_inflate(address_)) opening.agreement.deflate = {};
  opening.client = client_info();
  opening.seat = std::move(places_.seat);
  opening.answer = upgrade_answer(request, opening.agreement);
  opening.bytes = head_.substr(size);
  LoopState& loop = loop_;
  Stream stream = std::move(stream_);
  delete this;
  Connection::open(loop, std::move(stream), std::move(opening));
}

void HttpConnection::on_publish(const RequestHead& head, std::size_t size) {
  if (page_refusal_) return refuse(*page_refusal_);
  PublishRequest request = check_publish(head, loop_.config.message_bytes_max);
  if (request.refusal) return answer(std::move(*request.refusal));
  if (loop_.draining) return refuse(503, ErrorCode::kDraining, "the server is going away");
  publish_ = request.body;
  begin_body(head, size);
}

void HttpConnection::begin_body(const RequestHead& head, std::size_t size) {
  body_bytes_ = head.body_bytes;
  head_.erase(0, size);
  wait(loop_.config.message_ms_max);
  enter(State::kBody, EPOLLIN);
  const bool expects = equals_ignoring_case(head.header("expect"), "100-continue") && head_.empty();
  if (expects && !stream_.write("HTTP/1.1 100 Continue\r\n\r\n")) return delete this;
  if (head_.size() >= body_bytes_) return read_body();
}

void HttpConnection::read_body() {
  if (head_.size() < body_bytes_) {
    const auto read = stream_.read();
    if (!read) return delete this;
    stream_.update(EPOLLIN);
    head_.append(read->data(), read->size());
    if (const auto limit = bytes_.resize(head_.capacity())) {
      return answer(too_many("too much memory is held by unfinished requests", *limit));
    }
    if (head_.size() < body_bytes_) return;
  }
  head_.resize(body_bytes_);  // what comes behind it is not answered
  if (action_ != nullptr) return await_action(std::exchange(head_, {}));
  await_session(publish_plan(publish_, std::exchange(head_, {}), loop_.config.publish_ms_max));
}

void HttpConnection::on_subscribe(const RequestHead& head) {
  if (page_refusal_) return refuse(*page_refusal_);
  auto request = subscribe_request(head);
  if (auto* const refusal = std::get_if<HttpResponse>(&request)) return answer(std::move(*refusal));
  if (loop_.draining) return refuse(503, ErrorCode::kDraining, "the server is going away");
  if (head.path == kPollPath) return await_session(poll_plan(std::get<SubscribeRequest>(std::move(request))));
  if (!takes_sessions()) return;
  EventOpening opening{client_info(), std::get<SubscribeRequest>(std::move(request)).command,
                       std::move(places_.seat)};
  LoopState& loop = loop_;
  Stream stream = std::move(stream_);
  delete this;
  EventStream::open(loop, std::move(stream), std::move(opening));
}

// False: new sessions are not taken now, and why, the client is told.
bool HttpConnection::takes_sessions() {
  if (!loop_.shard.serving()) {
    refuse(503, ErrorCode::kUnavailable, "the server is joining its cluster; try again, here or elsewhere");
    return false;
  }
  if (!loop_.shard.memory_full()) return true;
  answer(too_many("the server is short of memory and takes no new clients", Limit::kMemory));
  return false;
}

ClientInfo HttpConnection::client_info() {
  ClientInfo client;
  client.remote = client_.text();
  client.token = std::move(identity_.token);
  client.request = std::move(identity_.request);
  client.address = address_;
  return client;
}

// Where it only waits, no answer is under way yet.
void HttpConnection::await_session(std::unique_ptr<RequestPlan> plan) {
  if (!takes_sessions()) return;
  begin_await();
  session_ = std::make_unique<RequestSession>(loop_, number_, client_info(), std::move(plan));
  if (session_->wait_ms() > 0) {
    wait(session_->wait_ms());
    enter(State::kAwaiting, EPOLLRDHUP);  // one that has left need not be waited for
  }
  look();
}

void HttpConnection::look() {
  settle(session_->look());
}

void HttpConnection::settle(std::optional<RequestSession::Outcome> outcome) {
  if (!outcome) return;
  session_.reset();
  loop_.awaited.erase(number_);
  if (auto* const response = std::get_if<HttpResponse>(&*outcome)) return answer(std::move(*response));
  await_pieces(std::get<AnswerInPieces>(std::move(*outcome)));
}

void LoopState::look_at(std::uint64_t number) {
  const auto found = awaited.find(number);
  if (found != awaited.end()) found->second->look();
}

}  // namespace tickwire
