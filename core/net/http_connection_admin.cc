// What HttpConnection does with a request that an admin makes with a body.
#include <cstdint>
#include <string>
#include <utility>

#include "net/admin_socket.h"
#include "net/http_connection.h"

namespace tickwire {
namespace {

HttpResponse for_no_page(HttpResponse response) {
  response.readers = Readers::kNoPage;
  return response;
}

}  // namespace

AdminActor HttpConnection::actor(std::string who) const {
  return {std::move(who), door() == Door::kAdminSocket ? describe_peer(stream_.socket()) : client_.text()};
}

void HttpConnection::note_refused(const RequestHead& head) {
  constexpr std::size_t kShownBytesMax = 100;
  const std::string request = head.method + " " + std::string(head.path);
  loop_.router.source().note_refused(actor("nobody"), std::string_view(request).substr(0, kShownBytesMax));
}

void HttpConnection::on_action(const RequestHead& head, const HttpRequest& request, std::size_t size) {
  if (auto refused = loop_.admin.refusal_for(request, door())) {
    note_refused(head);
    return answer(std::move(*refused));
  }
  if (auto wrong = check_action(head)) return answer(for_no_page(std::move(*wrong)));
  begin_body(head, size);
}

void HttpConnection::await_action(const std::string& body) {
  const auto action = read_action(*action_, body);
  if (!action) return answer(for_no_page(error_response(action.error())));
  if (!book_answer()) return;
  begin_await();
  const bool by_socket = door() == Door::kAdminSocket;
  const AdminActor by = actor(by_socket ? "admin socket" : "auth.admin_token");
  loop_.router.source().act(*action, by, [&loop = loop_, number = number_](Result<std::string> done) {
    loop.shard.post([&loop, number, done = std::move(done)] {
      const auto awaited = loop.awaited.extract(number);
      if (awaited.empty()) return;
      HttpResponse response = done ? json_response() : error_response(done.error());
      if (done) response.head = *done;
      awaited.mapped()->answer(for_no_page(std::move(response)));
    });
  });
}

}  // namespace tickwire
