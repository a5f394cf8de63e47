// Stream: one client's socket, carried by libwebsockets: bytes in, bytes out, whatever they mean.
// HttpConnection reads the request from it and may hand it on to a Connection.
//
// Loop thread. Owns the socket; it may be moved, and a moved-from or closed one is empty. While it is polled
// it is told to one Pollee. lws never runs code of ours, so every call returns before anything else happens.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "net/loop_state.h"
#include "net/poller.h"

struct lws;
struct ssl_st;

namespace tickwire {

class Stream {
 public:
  // Takes ownership of a connected, non-blocking socket, also where that fails: then it is empty.
  Stream(LoopState& loop, int socket, Transport transport);
  ~Stream() { close(); }
  Stream(Stream&& other) noexcept
      : loop_(other.loop_), wsi_(std::exchange(other.wsi_, nullptr)), socket_(other.socket_) {}
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  Stream& operator=(Stream&&) = delete;

  [[nodiscard]] bool open() const { return wsi_ != nullptr; }
  [[nodiscard]] int socket() const { return socket_; }
  // TLS has yet to be agreed on; read() goes on with it.
  [[nodiscard]] bool is_handshaking() const;

  // --- polling ------------------------------------------------------------------------------------------
  // From now on `pollee` is told, and nobody else. False: the kernel has no memory for it.
  bool poll(Pollee& pollee, std::uint32_t events);
  // What it is told of: EPOLLIN, EPOLLOUT; the latter in any case while bytes wait for the socket. EPOLLOUT
  // is answered by flush() where a part is held, and by read() where TLS wants to write for a read to go on.
  void update(std::uint32_t events);
  // It is told of EPOLLIN once more, soon: something of what was read is still to be looked at.
  void again() { loop_.poller.again(socket_); }

  // --- bytes --------------------------------------------------------------------------------------------
  // One read. Nothing: the peer has ended it, and it is closed. Empty: nothing has come. The bytes may be
  // changed and are good until another Stream of the loop reads.
  std::optional<std::span<char>> read();
  // Takes all of it, and keeps what the socket does not take; false: the connection is lost.
  bool write(std::string_view bytes);
  // A part of a write waits for the socket.
  [[nodiscard]] bool holds_part() const;
  // EPOLLOUT was told: sends of the part what the socket takes. False: it is lost and closed.
  bool flush();
  // Tells the peer that nothing more comes; what it sends can still be read. Not while a part is held.
  void end_writing();
  void close();

 private:
  [[nodiscard]] ssl_st* tls() const;

  LoopState& loop_;
  lws* wsi_;
  int socket_;
};

}  // namespace tickwire
