// What HttpConnection does with a request that an admin makes with a body.
#include <cstdint>
#include <string>
#include <utility>

#include "net/admin_socket.h"
#include "net/http_connection.h"
#include "net/revoke_request.h"

namespace tickwire {
namespace {

HttpResponse for_no_page(HttpResponse response) {
  response.readers = Readers::kNoPage;
  return response;
}

}  // namespace

void HttpConnection::on_revoke(const RequestHead& head, const HttpRequest& request, std::size_t size) {
  if (auto refused = loop_.admin.refusal_for(request, door())) return answer(std::move(*refused));
  if (auto wrong = check_revoke(head)) return answer(for_no_page(std::move(*wrong)));
  body_bytes_ = head.body_bytes;
  head_.erase(0, size);
  wait(loop_.config.message_ms_max);
  enter(State::kBody, EPOLLIN);
  if (head_.size() >= body_bytes_) return read_body();
}

void HttpConnection::read_body() {
  if (head_.size() < body_bytes_) {
    const auto read = stream_.read();
    if (!read) return delete this;
    stream_.update(EPOLLIN);
    head_.append(read->data(), read->size());
    if (const auto limit = bytes_.resize(head_.capacity())) {
      return refuse(
          {503, {ErrorCode::kTooMany, "too much memory is held by unfinished requests", "", limit}});
    }
    if (head_.size() < body_bytes_) return;
  }
  head_.resize(body_bytes_);  // what comes behind it is not answered
  await_revoke(std::exchange(head_, {}));
}

void HttpConnection::await_revoke(const std::string& body) {
  const auto target = read_revoke(body);
  if (!target) return answer(for_no_page(error_response(400, target.error())));
  std::uint64_t number = 0;
  if (!begin_await(number)) return;
  const bool by_socket = door() == Door::kAdminSocket;
  const AdminActor by{by_socket ? "admin socket" : "auth.admin_token",
                      by_socket ? describe_peer(stream_.socket()) : client_.text()};
  loop_.router.source().revoke(*target, by, [&loop = loop_, number](Result<std::string> revoked) {
    loop.shard.post([&loop, number, revoked = std::move(revoked)] {
      const auto awaited = loop.awaited.extract(number);
      if (awaited.empty()) return;
      HttpResponse response = revoked ? json_response() : error_response(503, revoked.error());
      if (revoked) response.head = *revoked;
      awaited.mapped()->answer(for_no_page(std::move(response)));
    });
  });
}

}  // namespace tickwire
