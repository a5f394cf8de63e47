#include "net/http_exchange.h"

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
  std::size_t bytes = held_bytes_;
  for (const std::string_view part : left_) bytes += part.size();
  return bytes;
}

HttpExchange::Progress HttpExchange::send(Stream& stream) {
  std::size_t sent = 0;
  for (std::string_view& part : left_) {
    while (!part.empty()) {
      if (sent >= kAnswerTurnBytesMax || stream.holds_part()) return Progress::kMore;
      const std::string_view piece = part.substr(0, kAnswerPieceBytes);
      if (!stream.write(piece)) return Progress::kFailed;
      held_bytes_ = stream.holds_part() ? piece.size() : 0;
      part.remove_prefix(piece.size());
      sent += piece.size();
    }
  }
  return stream.holds_part() ? Progress::kMore : Progress::kDone;
}

}  // namespace tickwire
