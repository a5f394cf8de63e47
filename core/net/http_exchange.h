// HttpExchange: an answer on its way out, in pieces that the socket takes.
//
// Loop thread. Owns the response, so that what it sends lies still.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "net/http_message.h"

namespace tickwire {

inline constexpr std::size_t kAnswerPieceBytes = 64U << 10U;
inline constexpr std::size_t kAnswerTurnBytesMax = 256U << 10U;  // then others have their turn

class HttpExchange {
 public:
  enum class Progress : std::uint8_t {
    kDone,     // all of it is with the kernel
    kMore,     // when the socket is writable
    kBlocked,  // the same, and nothing was taken this time
    kFailed,   // the client is gone
  };

  // `method`: for HEAD only the head is sent.
  HttpExchange(HttpResponse response, std::string_view method);
  ~HttpExchange() = default;
  HttpExchange(const HttpExchange&) = delete;
  HttpExchange& operator=(const HttpExchange&) = delete;

  // `socket` is non-blocking.
  Progress send(int socket);
  [[nodiscard]] std::size_t left_bytes() const;

 private:
  HttpResponse response_;
  std::string head_;
  std::array<std::string_view, 4> left_;
};

}  // namespace tickwire
