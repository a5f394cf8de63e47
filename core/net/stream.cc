#include "net/stream.h"

#include <libwebsockets.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

namespace tickwire {

Stream::Stream(LoopState& loop, int socket, Transport transport)
    : loop_(loop), wsi_(loop.context.adopt(socket, transport)), socket_(socket) {}

// Null: plain.
ssl_st* Stream::tls() const {
  return lws_get_ssl(wsi_);
}

bool Stream::is_handshaking() const {
  return tls() != nullptr && SSL_is_init_finished(tls()) == 0;
}

bool Stream::poll(Pollee& pollee, std::uint32_t events) {
  loop_.poller.remove(socket_);
  return loop_.poller.add(socket_, pollee, events);
}

void Stream::update(std::uint32_t events) {
  const bool reads_tls = (events & EPOLLIN) != 0 && tls() != nullptr;
  const bool blocked = holds_part() || (reads_tls && SSL_want_write(tls()));
  loop_.poller.change(socket_, events | (blocked ? EPOLLOUT : 0U));
  // The rest of a record that was read: no socket tells of it.
  if (reads_tls && SSL_pending(tls()) > 0) again();
}

std::optional<std::span<char>> Stream::read() {
  const bool handshakes = is_handshaking();
  if (loop_.context.serve(wsi_, POLLIN)) {
    if (handshakes) LwsContext::forget_deadline(wsi_);
    return loop_.context.received();
  }
  loop_.poller.forget(socket_);  // closed with its wsi
  wsi_ = nullptr;
  return std::nullopt;
}

// Only a negative result is an error: 0 or a part is what lws reports when it had to keep the rest.
bool Stream::write(std::string_view bytes) {
  // lws does not change what it is given to write raw, but its interface has no const.
  auto* start = reinterpret_cast<unsigned char*>(const_cast<char*>(bytes.data()));
  return lws_write(wsi_, start, bytes.size(), LWS_WRITE_RAW) >= 0;
}

bool Stream::holds_part() const {
  return lws_partial_buffered(wsi_) != 0;
}

bool Stream::flush() {
  if (loop_.context.serve(wsi_, POLLOUT)) return true;
  loop_.poller.forget(socket_);  // closed with its wsi
  wsi_ = nullptr;
  return false;
}

void Stream::end_writing() {
  if (tls() != nullptr && !is_handshaking()) {
    ERR_clear_error();
    SSL_shutdown(tls());
  }
  ::shutdown(socket_, SHUT_WR);
}

void Stream::close() {
  if (wsi_ == nullptr) return;
  loop_.poller.remove(socket_);
  (void)loop_.context.serve(std::exchange(wsi_, nullptr), POLLHUP);
}

}  // namespace tickwire
