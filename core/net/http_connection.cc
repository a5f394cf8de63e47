#include "net/http_connection.h"

#include <fmt/format.h>

#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "net/forwarded.h"
#include "net/host_rule.h"
#include "net/origin_rule.h"
#include "net/read_plans.h"
#include "net/subscribe_request.h"
#include "net/upgrade.h"

namespace tickwire {
namespace {

constexpr int kReadsPerTurnMax = 16;  // then others have their turn

HttpRequest http_request(const RequestHead& head, const Identity& identity) {
  HttpRequest request;
  request.method = head.method;
  request.path = head.path;
  request.query = head.query;
  request.if_none_match = head.header("if-none-match");
  request.host = head.header("host");
  request.authorization = head.header("authorization");
  request.anonymous = identity.token.empty() && identity.request == nullptr;
  request.origin = head.find_header("origin");
  request.has_body = head.has_body;
  return request;
}

HttpResponse refused_by(Limit limit) {
  return too_many(describe_refusal(limit), limit);
}

}  // namespace

// A proxy that will name its client is no client itself: only what all have together is limited so far.
PeerAddress HttpConnection::counted(const LoopState& loop, const Entrance& entrance,
                                    const ClientAddress& client) {
  const bool names_another = entrance.door == Door::kPublic && loop.config.proxies.reads_header_of(client);
  return names_another ? PeerAddress{} : client.counted();
}

void HttpConnection::adopt(LoopState& loop, int socket, const Entrance& entrance,
                           const ClientAddress& client) {
  Stream stream(loop, socket, entrance.transport);
  if (!stream.open()) return;
  Places places;
  if (const auto limit = take_places(loop, entrance.door, counted(loop, entrance, client), places)) {
    loop.count(*limit);
    // Nothing can be said before TLS is agreed on.
    if (!stream.is_handshaking()) (void)HttpExchange(refused_by(*limit), "GET").send(stream);
    return;
  }
  auto* connection = new HttpConnection(loop, std::move(stream), entrance, client, std::move(places));
  if (!connection->stream_.poll(*connection, EPOLLIN)) delete connection;
}

HttpConnection::HttpConnection(LoopState& loop, Stream stream, const Entrance& entrance,
                               const ClientAddress& client, Places places)
    : loop_(loop),
      stream_(std::move(stream)),
      entrance_(entrance),
      client_(client),
      address_(counted(loop, entrance, client)),
      places_(std::move(places)),
      answer_(loop.answers_open, address_),
      bytes_(loop.unfinished_bytes, address_) {
  loop_.http.insert(this);
  wait(loop_.config.request_ms_max);
}

HttpConnection::~HttpConnection() {
  if (state_ == State::kAwaiting) loop_.awaited.erase(number_);
  loop_.http.erase(this);
}

void HttpConnection::enter(State state, std::uint32_t events) {
  state_ = state;
  stream_.update(events);
}

void HttpConnection::on_ready(std::uint32_t events) {
  const Doing doing(loop_.shard.pulse(), Activity::kHttp);
  const bool gone = (events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP)) != 0;
  switch (state_) {
    case State::kHead:
      return read_head();
    case State::kBody:
      return read_body();
    case State::kAwaiting:
      if (gone) delete this;
      return;
    case State::kAnswering:
      if (gone || !stream_.flush()) return delete this;
      return send_answer();
    case State::kLingering:
      return read_rest();
  }
}

void HttpConnection::on_due() {
  if (state_ == State::kHead && !head_.empty()) {
    return refuse(
        {408,
         {ErrorCode::kBadMessage,
          fmt::format("the request head was not complete within {} ms", loop_.config.request_ms_max), "",
          Limit::kRequestTime}});
  }
  if (state_ == State::kBody) {
    return refuse({408,
                   {ErrorCode::kBadMessage,
                    fmt::format("the body was not complete within {} ms", loop_.config.message_ms_max), "",
                    Limit::kMessageTime}});
  }
  if (state_ == State::kAwaiting) {
    auto outcome = session_ != nullptr ? session_->on_due() : std::nullopt;
    if (!outcome) outcome = error_response({ErrorCode::kUnavailable, "the answer was not ready in time", ""});
    return settle(std::move(outcome));
  }
  loop_.count(state_ == State::kHead        ? Limit::kRequestTime
              : state_ == State::kLingering ? Limit::kLingerTime
                                            : Limit::kAnswerStall);
  delete this;
}

void HttpConnection::end() {
  // The admin's question may be on its way, and holds nothing up.
  const bool waits_in_vain = (state_ == State::kHead || state_ == State::kBody) && door() == Door::kPublic;
  if (waits_in_vain || state_ == State::kLingering) return delete this;
  if (session_ != nullptr) settle(error_response({ErrorCode::kDraining, "the server is going away", ""}));
}

// --- the request ----------------------------------------------------------------------------------------

void HttpConnection::read_head() {
  if (stream_.is_handshaking() && loop_.handshakes_left-- <= 0) return;
  const auto read = stream_.read();
  if (!read) return delete this;  // nobody waits for an answer to half a request
  stream_.update(EPOLLIN);
  if (read->empty()) return;
  head_.append(read->data(), read->size());
  if (const auto limit = bytes_.resize(head_.capacity())) {
    return answer(too_many("too much memory is held by unfinished requests", *limit));
  }
  const HeadScanner::Found found = scanner_.scan(head_);
  if (const auto* refusal = std::get_if<Refusal>(&found)) return refuse(*refusal);
  if (const auto* size = std::get_if<std::size_t>(&found)) on_head(*size);
}

void HttpConnection::on_head(std::size_t size) {
  const auto parsed = parse_request_head(std::string_view(head_).substr(0, size));
  if (const auto* refusal = std::get_if<Refusal>(&parsed)) return refuse(*refusal);
  const auto& head = std::get<RequestHead>(parsed);
  method_ = head.method;
  if (door() == Door::kPublic) {
    if (!meet_client(head)) return;
    if (const auto refusal = check_host(head.header("host"), loop_.config.hosts, entrance_.loopback))
      return refuse(*refusal);
    if (!identify_client(head)) return;
  }
  if (!head.header("upgrade").empty()) return on_upgrade(head, size);
  if (door() == Door::kPublic && head.path == kUpgradePath) {
    return refuse(426, ErrorCode::kBadMessage, "only a WebSocket is served there");
  }
  if (door() == Door::kPublic && head.path == kPublishPath) return on_publish(head, size);
  if (door() == Door::kPublic && head.method == "OPTIONS" && takes_token(head.path)) {
    return page_refusal_ ? refuse(*page_refusal_) : answer(preflight("GET"));
  }
  if (door() == Door::kPublic && (head.path == kEventsPath || head.path == kPollPath))
    return on_subscribe(head);
  const HttpRequest request = http_request(head, identity_);
  if (door() != Door::kPublic) action_ = find_action(head.path);
  if (action_ != nullptr) return on_action(head, request, size);
  const auto give = [this](auto reply) {
    using Reply = decltype(reply);
    if constexpr (std::is_same_v<Reply, SessionsQuery>) {
      await_sessions(reply);
    } else if constexpr (std::is_same_v<Reply, AnswerInPieces>) {
      await_pieces(std::move(reply));
    } else if constexpr (!std::is_same_v<Reply, HttpResponse>) {
      await_session(plan_for(std::move(reply)));
    } else {
      answer(std::move(reply));
    }
  };
  if (door() == Door::kPublic) return std::visit(give, loop_.router.answer(request, loop_.draining));
  auto reply = loop_.admin.answer(request, door(), loop_.draining);
  const auto* const said = std::get_if<HttpResponse>(&reply);
  if (said != nullptr && said->status == 403) note_refused(head);
  std::visit(give, std::move(reply));
}

// The seat that the proxy's connection took until now is given back first, so that it is not taken twice.
bool HttpConnection::meet_client(const RequestHead& head) {
  const auto found = find_client(head, client_, loop_.config.proxies);
  if (const auto* refusal = std::get_if<Refusal>(&found)) {
    refuse(*refusal);
    return false;
  }
  client_ = std::get<ClientAddress>(found);
  if (client_.counted() == address_) return true;
  address_ = client_.counted();
  answer_ = Share(loop_.answers_open, address_);
  const auto limit = take_places(loop_, door(), address_, places_);
  if (limit) answer(refused_by(*limit));
  return !limit;
}

bool HttpConnection::identify_client(const RequestHead& head) {
  const Site site{head.header("host"), entrance_.loopback, entrance_.transport};
  const std::vector<std::string>& allowed = loop_.config.origins;
  const auto origin = head.find_header("origin");
  page_refusal_ = check_origin(origin, allowed, site);
  auto identified = identify(head, loop_.config.identity, is_named_page(origin, allowed, site));
  if (const auto* refusal = std::get_if<Refusal>(&identified)) {
    refuse(*refusal);
    return false;
  }
  identity_ = std::get<Identity>(std::move(identified));
  return true;
}

bool HttpConnection::book_answer() {
  const auto limit = answer_.resize(1);
  if (limit) answer(too_many("too many HTTP answers are under way", *limit));
  return !limit;
}

void HttpConnection::begin_await() {
  enter(State::kAwaiting, 0);
  wait(loop_.config.answer_stall_ms_max);
  number_ = ++loop_.last_awaited;
  loop_.awaited.emplace(number_, this);
}

// The client may leave between the pieces.
void HttpConnection::await_pieces(AnswerInPieces pieces) {
  if (!book_answer()) return;
  begin_await();
  loop_.shard.start([&loop = loop_, number = number_, pieces = std::move(pieces)](const Budget& budget) {
    const auto awaited = loop.awaited.find(number);
    if (awaited == loop.awaited.end()) return true;
    std::optional<HttpResponse> response = pieces(budget);
    if (!response) return false;
    HttpConnection* const client = awaited->second;
    loop.awaited.erase(awaited);
    client->answer(std::move(*response));
    return true;
  });
}

// The loops tell their sessions on their own threads, so the answer comes posted, if the client is still
// there.
void HttpConnection::await_sessions(const SessionsQuery& query) {
  if (!book_answer()) return;
  begin_await();
  loop_.router.source().list_sessions(query, [&loop = loop_, number = number_](std::string json) {
    loop.shard.post([&loop, number, json = std::move(json)] {
      const auto awaited = loop.awaited.extract(number);
      if (awaited.empty()) return;
      HttpResponse response = json_response();
      response.head = json;
      response.readers = Readers::kNoPage;
      awaited.mapped()->answer(std::move(response));
    });
  });
}

// --- the answer -----------------------------------------------------------------------------------------

void HttpConnection::refuse(const Refusal& refusal) {
  answer(error_response(refusal.status, refusal.error));
}

void HttpConnection::refuse(int status, ErrorCode code, std::string_view message) {
  answer(error_response(status, {code, std::string(message), ""}));
}

void HttpConnection::answer(HttpResponse response) {
  if (response.limit) loop_.count(*response.limit);
  if (page_refusal_ && response.readers == Readers::kAllowedPages) response.readers = Readers::kNoPage;
  std::string().swap(head_);
  bytes_ = Share(loop_.unread_bytes, address_);
  exchange_ = std::make_unique<HttpExchange>(std::move(response), method_);
  state_ = State::kAnswering;
  wait(loop_.config.answer_stall_ms_max);
  send_answer();
}

void HttpConnection::send_answer() {
  switch (exchange_->send(stream_)) {
    case HttpExchange::Progress::kFailed:
      return delete this;
    case HttpExchange::Progress::kMore:
      return keep_answering();
    case HttpExchange::Progress::kDone:
      return begin_linger();
  }
}

void HttpConnection::keep_answering() {
  // Half an answer cannot be taken back: who may not hold what is left of it is hung up.
  auto limit = answer_.resize(1);
  if (!limit) limit = bytes_.resize(exchange_->left_bytes());
  if (limit) {
    loop_.count(*limit);
    return delete this;
  }
  wait(loop_.config.answer_stall_ms_max);
  enter(State::kAnswering, EPOLLOUT);
}

void HttpConnection::begin_linger() {
  exchange_.reset();
  answer_.release();
  bytes_.release();
  stream_.end_writing();
  wait(loop_.config.linger_ms_max);
  enter(State::kLingering, EPOLLIN);
  read_rest();
}

void HttpConnection::read_rest() {
  for (int i = 0; i < kReadsPerTurnMax; ++i) {
    const auto read = stream_.read();
    if (!read) return delete this;
    if (read->empty()) return;
    lingered_bytes_ += read->size();
    if (lingered_bytes_ > loop_.config.linger_bytes_max) {
      loop_.count(Limit::kLingerBytes);
      return delete this;
    }
  }
}

}  // namespace tickwire
