// Transport: the bytes of a client's connection, as they are or inside TLS. It does not look at
// whose certificate the server has.
//
// Not blocking. One thread. A failure of OpenSSL's set-up ends the program.
#pragma once

#include <openssl/ssl.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "tcp.h"

namespace tickwire::bench {

class Transport {
 public:
  Transport(int fd, bool tls) : fd_(fd) {
    if (!tls) return;
    tls_.reset(SSL_new(context()));
    check(tls_ != nullptr && SSL_set_fd(tls_.get(), fd) == 1, "SSL_set_fd");
    SSL_set_connect_state(tls_.get());
  }

  // How much came, 0 for nothing yet. Nothing: the connection is gone.
  std::optional<std::size_t> read(std::span<char> buffer) {
    if (tls_) {
      const int done = SSL_read(tls_.get(), buffer.data(), static_cast<int>(buffer.size()));
      if (done > 0) return static_cast<std::size_t>(done);
      const int why = SSL_get_error(tls_.get(), done);
      const bool later = why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE;
      return later ? std::optional(std::size_t{0}) : std::nullopt;
    }
    const ssize_t got = ::recv(fd_, buffer.data(), buffer.size(), 0);
    if (got > 0) return static_cast<std::size_t>(got);
    return got < 0 && errno == EAGAIN ? std::optional(std::size_t{0}) : std::nullopt;
  }
  // How much was taken. That the connection is gone is read()'s to find out.
  std::size_t write(std::string_view bytes) {
    if (bytes.empty()) return 0;
    if (tls_) {
      const int done = SSL_write(tls_.get(), bytes.data(), static_cast<int>(bytes.size()));
      needs_peer_ = done <= 0 && SSL_get_error(tls_.get(), done) == SSL_ERROR_WANT_READ;
      return static_cast<std::size_t>(std::max(done, 0));
    }
    const ssize_t sent = send_some(fd_, bytes);
    return sent > 0 ? static_cast<std::size_t>(sent) : 0;
  }
  // Whether a write has to wait for what the server says in the handshake.
  [[nodiscard]] bool needs_peer() const { return needs_peer_; }

 private:
  struct SslFree {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  struct ContextFree {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };

  static SSL_CTX* context() {
    static const std::unique_ptr<SSL_CTX, ContextFree> kContext = [] {
      std::unique_ptr<SSL_CTX, ContextFree> made(SSL_CTX_new(TLS_client_method()));
      check(made != nullptr, "SSL_CTX_new");
      SSL_CTX_set_mode(made.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                       SSL_MODE_RELEASE_BUFFERS);
      return made;
    }();
    return kContext.get();
  }

  int fd_;
  std::unique_ptr<SSL, SslFree> tls_;  // nothing: plain
  bool needs_peer_ = false;
};

}  // namespace tickwire::bench
