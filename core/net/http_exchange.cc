#include "net/http_exchange.h"

#include <algorithm>
#include <string>
#include <utility>

#include "net/lws_write.h"

namespace tickwire {

HttpExchange::HttpExchange(HttpResponse response, const HttpRequest& request)
    : response_(std::move(response)),
      stays_(request.has_body ? request.body_length_known : request.keep_alive),
      head_(response_head(response_, request.keep_alive && !request.has_body)) {
  if (request.method != "HEAD") left_ = {"", response_.head, response_.shared, response_.tail};
  for (std::string_view& part : left_) {  // what is small goes out in one write
    if (head_.size() + part.size() > kAnswerPieceBytes) break;
    head_ += part;
    part = {};
  }
  left_[0] = head_;
}

std::string_view HttpExchange::next_piece() {
  for (std::string_view& part : left_) {
    if (part.empty()) continue;
    const std::string_view piece = part.substr(0, kAnswerPieceBytes);
    part.remove_prefix(piece.size());
    return piece;
  }
  return {};
}

HttpExchange::Progress HttpExchange::send(lws* wsi) {
  if (lws_holds_part(wsi)) return Progress::kMore;
  for (std::size_t sent = 0; sent < kAnswerTurnBytesMax;) {
    const std::string_view piece = next_piece();
    if (piece.empty()) return Progress::kDone;
    if (!lws_write_raw(wsi, piece)) return Progress::kFailed;
    if (lws_holds_part(wsi)) return Progress::kMore;
    sent += piece.size();
  }
  return Progress::kMore;
}

}  // namespace tickwire
