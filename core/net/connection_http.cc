// Connection's HTTP half: requests, answers, and the step to a WebSocket.
#include <libwebsockets.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "codec/deflate_offer.h"
#include "net/connection.h"
#include "net/lws_request.h"
#include "net/socket_address.h"

namespace tickwire {

bool Connection::on_request() {
  if (state_ != State::kRequest) return false;
  lws_set_timeout(wsi_, NO_PENDING_TIMEOUT, 0);  // ours hold: lws' own would end a slow but steady download
  const HttpRequest request = read_http_request(wsi_);
  HttpRouter::Answer reply = loop_.router.answer(request, loop_.draining);
  if (const auto* query = std::get_if<SessionsQuery>(&reply)) return await_sessions(*query, request);
  return answer(std::get<HttpResponse>(std::move(reply)), request);
}

bool Connection::on_upgrade_request() {
  if (state_ != State::kRequest) return false;
  const UpgradeRequest upgrade = read_upgrade_request(wsi_);
  // Asked for another protocol than websocket and h2c, it was answered by lws already, and has no headers
  // left.
  if (upgrade.upgrade.empty()) return false;
  std::optional<Refusal> refusal = check_upgrade(upgrade, loop_.config.origins);
  if (!refusal && loop_.draining) {
    refusal = Refusal{503, {ErrorCode::kDraining, "the server is going away", ""}};
  }
  if (!refusal) return true;
  HttpRequest request;
  request.keep_alive = false;
  HttpExchange(error_response(refusal->status, refusal->error), request).send(wsi_);
  return false;
}

// lws answers the very offer that it asks about. It breaks the handshake off when another follows one that
// was taken, so only the last can be. A client that is declined goes on uncompressed.
bool Connection::on_deflate_offer() {
  const std::vector<DeflateAgreement> offers = read_deflate_offers(read_extensions(wsi_));
  const bool last = ++deflate_offers_ == offers.size();
  if (!last || !offers.back().accepted || 2 * loop_.inflater_bytes > loop_.config.inflater_bytes_max)
    return false;
  compression_ = offers.back().server_no_context_takeover ? Compression::kNoContext : Compression::kContext;
  incoming_.expect_compressed(offers.back());
  return true;
}

bool Connection::on_open() {
  if (state_ != State::kRequest) return false;
  state_ = State::kOpen;
  wait(loop_.pings);
  ClientInfo client;
  client.remote = peer_text(lws_get_socket_fd(wsi_));
  client.token = read_token(wsi_);
  client.address = peer_address(lws_get_socket_fd(wsi_));
  const Format format = agreed_format(wsi_);
  if (format != Format::kJson) incoming_.expect_binary();
  session_ = &loop_.shard.open(*this, std::move(client), compression_, format);
  return true;
}

bool Connection::answer(HttpResponse response, const HttpRequest& request) {
  exchange_ = std::make_unique<HttpExchange>(std::move(response), request);
  return on_answer_writable();
}

bool Connection::on_answer_writable() {
  if (exchange_ == nullptr) return true;
  switch (exchange_->send(wsi_)) {
    case HttpExchange::Progress::kFailed:
      return false;
    case HttpExchange::Progress::kMore:
      return go_on_answering();
    case HttpExchange::Progress::kDone:
      // Until there is room again lws reads no request: the client has not taken its answer yet.
      if (lws_send_pipe_choked(wsi_) != 0) return go_on_answering();
  }
  end_answering();
  const bool stays = exchange_->connection_stays();
  exchange_.reset();
  if (!stays) return false;
  wait(loop_.requests);
  return lws_http_transaction_completed(wsi_) == 0;
}

// The loops tell their sessions on their own threads, so the answer comes posted, if the client is still
// there.
bool Connection::await_sessions(const SessionsQuery& query, const HttpRequest& request) {
  if (!begin_answering()) return true;
  const std::uint64_t number = ++loop_.last_awaited;
  loop_.awaited.emplace(number, AwaitedAnswer{this, request});
  loop_.router.source().list_sessions(query, [&loop = loop_, number](std::string json) {
    loop.shard.post([&loop, number, json = std::move(json)] {
      const auto awaited = loop.awaited.extract(number);
      if (awaited.empty()) return;
      HttpResponse response = json_response();
      response.head = json;
      response.any_origin = false;
      Connection& client = *awaited.mapped().client;
      client.exchange_ = std::make_unique<HttpExchange>(std::move(response), awaited.mapped().request);
      lws_callback_on_writable(client.wsi_);
    });
  });
  return true;
}

bool Connection::begin_answering() {
  if (state_ != State::kAnswering) {
    if (loop_.answering >= kResponsesPendingMax) {
      hang_up();  // not false: lws would first wait for what it holds
      return false;
    }
    state_ = State::kAnswering;
    ++loop_.answering;
  }
  wait(loop_.answers);
  return true;
}

bool Connection::go_on_answering() {
  if (begin_answering()) lws_callback_on_writable(wsi_);
  return true;
}

void Connection::end_answering() {
  if (state_ != State::kAnswering) return;
  state_ = State::kRequest;
  --loop_.answering;
  std::erase_if(loop_.awaited, [this](const auto& awaited) { return awaited.second.client == this; });
}

}  // namespace tickwire
