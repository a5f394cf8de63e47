#include "net/http_connection.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include "net/connection.h"
#include "net/socket_address.h"
#include "net/upgrade.h"

namespace tickwire {
namespace {

constexpr std::size_t kReadBytes = 4U << 10U;
constexpr int kReadsPerTurnMax = 16;  // then others have their turn

HttpRequest http_request(const RequestHead& head) {
  HttpRequest request;
  request.method = head.method;
  request.path = head.path;
  request.query = head.query;
  request.if_none_match = head.header("if-none-match");
  request.host = head.header("host");
  request.authorization = head.header("authorization");
  request.origin = head.find_header("origin");
  request.has_body = head.has_body;
  return request;
}

HttpResponse too_many(std::string_view what) {
  return error_response(503, {ErrorCode::kTooMany, fmt::format("{}; try again later", what), ""});
}

bool would_block(ssize_t read) {
  return read < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
}

}  // namespace

void HttpConnection::adopt(LoopState& loop, int socket, Door door) {
  const PeerAddress address = peer_address(socket);
  Places places{{}, Share(loop.requests_open, address)};
  const auto refuse = [socket](std::string_view what) {
    (void)HttpExchange(too_many(what), "GET").send(socket);
    ::close(socket);
  };
  // The admin's ways in stay open also where others took every place.
  if (door == Door::kPublic && loop.config.gate != nullptr) {
    if (const auto limit = loop.config.gate->enter(address, loop.clock.steady_us(), places.seat)) {
      loop.shard.counters().count(*limit);
      return refuse(describe_refusal(*limit));
    }
  }
  const Drawn drawn = door == Door::kAdminSocket ? Drawn::kTaken : places.place.resize(1);
  if (drawn != Drawn::kTaken) {
    loop.shard.counters().count(drawn == Drawn::kAddressSpent ? RefusedFor::kAddress : RefusedFor::kTotal);
    return refuse(drawn == Drawn::kAddressSpent ? "too many connections from this address are no WebSocket"
                                                : "too many connections are no WebSocket");
  }
  auto* client = new HttpConnection(loop, socket, door, address, std::move(places));
  if (!loop.poller.add(socket, *client, EPOLLIN)) delete client;
}

HttpConnection::HttpConnection(LoopState& loop, int socket, Door door, PeerAddress address, Places places)
    : loop_(loop),
      socket_(socket),
      door_(door),
      address_(address),
      places_(std::move(places)),
      answer_(loop.answers_open, address),
      bytes_(loop.unfinished_bytes, address) {
  loop_.http.insert(this);
  wait(loop_.config.request_ms_max);
}

HttpConnection::~HttpConnection() {
  if (socket_ >= 0) {
    loop_.poller.remove(socket_);
    ::close(socket_);
  }
  if (state_ == State::kAwaiting) {
    std::erase_if(loop_.awaited, [this](const auto& awaited) { return awaited.second == this; });
  }
  loop_.http.erase(this);
}

void HttpConnection::enter(State state, std::uint32_t events) {
  state_ = state;
  loop_.poller.change(socket_, events);
}

void HttpConnection::on_ready(std::uint32_t events) {
  const Doing doing(loop_.shard.pulse(), Activity::kHttp);
  const bool gone = (events & (EPOLLHUP | EPOLLERR)) != 0;
  switch (state_) {
    case State::kHead:
      return read_head();
    case State::kAwaiting:
    case State::kAnswering:
      if (gone) return delete this;
      return send_answer();
    case State::kLingering:
      return read_rest();
  }
}

void HttpConnection::on_due() {
  if (state_ == State::kHead && !head_.empty()) {
    return refuse(408, ErrorCode::kBadMessage,
                  fmt::format("the request head was not complete within {} ms", loop_.config.request_ms_max));
  }
  delete this;
}

void HttpConnection::end() {
  if (state_ == State::kHead || state_ == State::kLingering) delete this;
}

// --- the request ----------------------------------------------------------------------------------------

void HttpConnection::read_head() {
  std::array<char, kReadBytes> bytes;
  const ssize_t read = ::recv(socket_, bytes.data(), bytes.size(), 0);
  if (would_block(read)) return;
  if (read <= 0) return delete this;  // nobody waits for an answer to half a request
  head_.append(bytes.data(), static_cast<std::size_t>(read));
  if (bytes_.resize(head_.capacity()) != Drawn::kTaken) {
    return refuse(503, ErrorCode::kTooMany,
                  "too much memory is held by unfinished requests; try again later");
  }
  const HeadScanner::Found found = scanner_.scan(head_);
  if (const auto* refusal = std::get_if<Refusal>(&found)) return refuse(*refusal);
  if (const auto* size = std::get_if<std::size_t>(&found)) on_head(*size);
}

void HttpConnection::on_head(std::size_t size) {
  const auto parsed = parse_request_head(std::string_view(head_).substr(0, size));
  if (const auto* refusal = std::get_if<Refusal>(&parsed)) return refuse(*refusal);
  const auto& head = std::get<RequestHead>(parsed);
  if (!head.header("upgrade").empty()) return on_upgrade(head, size);
  method_ = head.method;
  const HttpRequest request = http_request(head);
  const auto give = [this](auto reply) {
    using Reply = decltype(reply);
    if constexpr (std::is_same_v<Reply, SessionsQuery>) {
      await_sessions(reply);
    } else if constexpr (std::is_same_v<Reply, AnswerInPieces>) {
      await_pieces(std::move(reply));
    } else {
      answer(std::move(reply));
    }
  };
  if (door_ == Door::kPublic) return std::visit(give, loop_.router.answer(request, loop_.draining));
  std::visit(give, loop_.admin.answer(request, door_, loop_.draining));
}

void HttpConnection::on_upgrade(const RequestHead& head, std::size_t size) {
  const Doing doing(loop_.shard.pulse(), Activity::kUpgrade);
  if (door_ != Door::kPublic) {
    return refuse(404, ErrorCode::kUnknownCommand, "no WebSocket at the admin listener");
  }
  const UpgradeRequest request = upgrade_request(head);
  if (const auto refusal = check_upgrade(request, loop_.config.origins)) return refuse(*refusal);
  if (loop_.draining) return refuse(503, ErrorCode::kDraining, "the server is going away");
  if (loop_.shard.memory_full()) {
    loop_.shard.counters().count(Limit::kMemory);
    return refuse(503, ErrorCode::kTooMany,
                  "the server is short of memory and takes no new clients; try again later");
  }
  if (head.has_body) return refuse(400, ErrorCode::kBadMessage, "an upgrade has no body");
  Opening opening;
  opening.agreement = agree(request);
  if (!loop_.room_to_inflate(address_)) opening.agreement.deflate = {};
  opening.client.remote = peer_text(socket_);
  opening.client.token = head.parameter("token");
  opening.client.address = address_;
  opening.seat = std::move(places_.seat);
  // What follows the head belongs to the WebSocket already.
  opening.bytes = handshake_head(request, opening.agreement) + head_.substr(size);
  LoopState& loop = loop_;
  const int socket = std::exchange(socket_, -1);
  loop.poller.remove(socket);
  delete this;
  Connection::adopt(loop, socket, std::move(opening));
}

bool HttpConnection::begin_await(std::uint64_t& number) {
  if (answer_.resize(1) != Drawn::kTaken) {
    answer(too_many("too many HTTP answers are under way"));
    return false;
  }
  enter(State::kAwaiting, 0);
  wait(loop_.config.answer_stall_ms_max);
  number = ++loop_.last_awaited;
  loop_.awaited.emplace(number, this);
  return true;
}

// The client may leave between the pieces.
void HttpConnection::await_pieces(AnswerInPieces pieces) {
  std::uint64_t number = 0;
  if (!begin_await(number)) return;
  loop_.shard.start([&loop = loop_, number, pieces = std::move(pieces)](const Budget& budget) {
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
  std::uint64_t number = 0;
  if (!begin_await(number)) return;
  loop_.router.source().list_sessions(query, [&loop = loop_, number](std::string json) {
    loop.shard.post([&loop, number, json = std::move(json)] {
      const auto awaited = loop.awaited.extract(number);
      if (awaited.empty()) return;
      HttpResponse response = json_response();
      response.head = json;
      response.any_origin = false;
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
  std::string().swap(head_);
  bytes_ = Share(loop_.unread_bytes, address_);
  exchange_ = std::make_unique<HttpExchange>(std::move(response), method_);
  state_ = State::kAnswering;
  wait(loop_.config.answer_stall_ms_max);
  send_answer();
}

void HttpConnection::send_answer() {
  if (exchange_ == nullptr) return;  // it is awaited
  switch (exchange_->send(socket_)) {
    case HttpExchange::Progress::kFailed:
      return delete this;
    case HttpExchange::Progress::kMore:
      return keep_answering(true);
    case HttpExchange::Progress::kBlocked:
      return keep_answering(false);
    case HttpExchange::Progress::kDone:
      return begin_linger();
  }
}

void HttpConnection::keep_answering(bool progress) {
  // Half an answer cannot be taken back: who may not hold what is left of it is hung up.
  if (answer_.resize(1) != Drawn::kTaken || bytes_.resize(exchange_->left_bytes()) != Drawn::kTaken) {
    return delete this;
  }
  if (progress) wait(loop_.config.answer_stall_ms_max);
  enter(State::kAnswering, EPOLLOUT);
}

void HttpConnection::begin_linger() {
  exchange_.reset();
  answer_.release();
  bytes_.release();
  ::shutdown(socket_, SHUT_WR);
  wait(loop_.config.linger_ms_max);
  enter(State::kLingering, EPOLLIN);
  read_rest();
}

void HttpConnection::read_rest() {
  std::array<char, kReadBytes> bytes;
  for (int i = 0; i < kReadsPerTurnMax; ++i) {
    const ssize_t read = ::recv(socket_, bytes.data(), bytes.size(), 0);
    if (would_block(read)) return;
    if (read <= 0) return delete this;
    lingered_bytes_ += static_cast<std::size_t>(read);
    if (lingered_bytes_ > loop_.config.linger_bytes_max) return delete this;
  }
}

}  // namespace tickwire
