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
  begin_body(head, size);
}

void HttpConnection::await_revoke(const std::string& body) {
  const auto target = read_revoke(body);
  if (!target) return answer(for_no_page(error_response(400, target.error())));
  if (!book_answer()) return;
  begin_await();
  const bool by_socket = door() == Door::kAdminSocket;
  const AdminActor by{by_socket ? "admin socket" : "auth.admin_token",
                      by_socket ? describe_peer(stream_.socket()) : client_.text()};
  loop_.router.source().revoke(*target, by, [&loop = loop_, number = number_](Result<std::string> revoked) {
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
