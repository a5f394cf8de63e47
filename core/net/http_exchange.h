// HttpExchange: an answer on its way out, in pieces that the stream takes.
//
// Loop thread. Owns the response, so that what it sends lies still.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "net/http_message.h"
#include "net/stream.h"

namespace tickwire {

inline constexpr std::size_t kAnswerPieceBytes = 64U << 10U;
inline constexpr std::size_t kAnswerTurnBytesMax = 256U << 10U;  // then others have their turn

class HttpExchange {
 public:
  enum class Progress : std::uint8_t {
    kDone,    // all of it is with the kernel
    kMore,    // when the socket is writable
    kFailed,  // the client is gone
  };

  // `method`: for HEAD only the head is sent.
  HttpExchange(HttpResponse response, std::string_view method);
  ~HttpExchange() = default;
  HttpExchange(const HttpExchange&) = delete;
  HttpExchange& operator=(const HttpExchange&) = delete;

  // Also after the stream has sent a part that it held.
  Progress send(Stream& stream);
  // What the client has not taken.
  [[nodiscard]] std::size_t left_bytes() const;

 private:
  HttpResponse response_;
  std::string head_;
  std::array<std::string_view, 4> left_;
  std::size_t held_bytes_ = 0;  // by the stream, at most
};

}  // namespace tickwire
