// HttpExchange: an answer on its way out, in pieces that the socket takes.
//
// Loop thread. Owns the response, so that what it sends lies still.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "net/http_message.h"

struct lws;

namespace tickwire {

inline constexpr std::size_t kAnswerPieceBytes = 64U << 10U;
inline constexpr std::size_t kAnswerTurnBytesMax = 256U << 10U;  // then others have their turn

class HttpExchange {
 public:
  enum class Progress : std::uint8_t { kDone, kMore, kFailed };

  HttpExchange(HttpResponse response, const HttpRequest& request);
  ~HttpExchange() = default;
  HttpExchange(const HttpExchange&) = delete;
  HttpExchange& operator=(const HttpExchange&) = delete;

  // kMore: when the socket is writable. kDone: all of it is with the kernel.
  Progress send(lws* wsi);
  // Whether the connection goes on after it. It does, though the head says otherwise, where a body is to be
  // passed over first: closing before it was read could cost the client our answer.
  [[nodiscard]] bool connection_stays() const { return stays_; }

 private:
  std::string_view next_piece();

  HttpResponse response_;
  const bool stays_;
  std::string head_;
  std::array<std::string_view, 4> left_;
};

}  // namespace tickwire
