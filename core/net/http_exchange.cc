#include "net/http_exchange.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace tickwire {

HttpExchange::HttpExchange(HttpResponse response, std::string_view method)
    : response_(std::move(response)), head_(response_head(response_)) {
  if (method != "HEAD") left_ = {"", response_.head, response_.shared, response_.tail};
  for (std::string_view& part : left_) {  // what is small goes out in one write
    if (head_.size() + part.size() > kAnswerPieceBytes) break;
    head_ += part;
    part = {};
  }
  left_[0] = head_;
}

std::size_t HttpExchange::left_bytes() const {
  std::size_t bytes = 0;
  for (const std::string_view part : left_) bytes += part.size();
  return bytes;
}

HttpExchange::Progress HttpExchange::send(int socket) {
  std::size_t sent = 0;
  for (std::string_view& part : left_) {
    while (!part.empty()) {
      if (sent >= kAnswerTurnBytesMax) return Progress::kMore;
      const ssize_t taken =
          ::send(socket, part.data(), std::min(part.size(), kAnswerPieceBytes), MSG_NOSIGNAL);
      if (taken < 0 && errno == EINTR) continue;
      if (taken < 0 && errno != EAGAIN && errno != EWOULDBLOCK) return Progress::kFailed;
      if (taken < 0) return sent == 0 ? Progress::kBlocked : Progress::kMore;
      part.remove_prefix(static_cast<std::size_t>(taken));
      sent += static_cast<std::size_t>(taken);
    }
  }
  return Progress::kDone;
}

}  // namespace tickwire
