// LwsContext: a libwebsockets context with one virtual host and no listener of its own. libwebsockets carries
// sockets in its raw role: it does their TLS and keeps what a socket does not take of a write. It parses
// nothing, it never polls, and its timers never run: Stream tells it what the loop's Poller saw.
//
// One loop's thread, from the first adopt() on; open() before that from any. Owns the sockets it was handed.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>

#include "base/error.h"
#include "net/net_config.h"

struct lws;
struct lws_context;
struct lws_vhost;
struct ssl_ctx_st;

namespace tickwire {

class LwsContext {
 public:
  LwsContext() = default;
  ~LwsContext();
  LwsContext(const LwsContext&) = delete;
  LwsContext& operator=(const LwsContext&) = delete;

  // `tls`: what adopt() with TLS speaks; null: it is never asked for. It outlives this.
  Status open(TlsServer* tls);
  // Every Stream is closed before.
  void close();

  // A connected socket, which it owns from now on, also when it fails (null).
  lws* adopt(int socket, Transport transport);

  // Hands an event of `wsi` to lws: POLLIN makes one read, POLLOUT sends what lws still holds, POLLHUP ends
  // it. False: lws has closed the socket and destroyed `wsi`.
  bool serve(lws* wsi, short events);
  // What the last serve() read, which may be changed; good until the next one.
  [[nodiscard]] std::span<char> received() { return std::span(buffer_).first(received_); }
  // lws' timers never run, and each that it sets for TLS walks the list of all before it.
  static void forget_deadline(lws* wsi);
  // Descriptors from this number on cannot be adopted.
  [[nodiscard]] int descriptors_max() const { return descriptors_max_; }

 private:
  friend struct LwsCallback;
  static constexpr std::size_t kReadBytes = std::size_t{4} << 10U;

  lws_context* context_ = nullptr;
  lws_vhost* vhost_ = nullptr;
  TlsServer* tls_ = nullptr;
  // Never used. lws would make one itself, with all certificates of the system, and free only the first.
  std::shared_ptr<ssl_ctx_st> client_tls_;
  int descriptors_max_ = 0;
  // What the serve() under way has done so far:
  lws* serving_ = nullptr;
  bool destroyed_ = false;
  std::size_t received_ = 0;
  std::array<char, kReadBytes> buffer_{};
};

}  // namespace tickwire
