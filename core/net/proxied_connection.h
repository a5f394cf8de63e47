// ProxiedConnection: a client's socket from accept on, where its listener requires the PROXY protocol, until
// the proxy in front has said who its client is; then an HttpConnection goes on with the socket.
//
// The preamble is looked at in the socket's buffer and taken from there exactly, so that TLS or HTTP find
// their first byte at the beginning. Whoever sends none in time, or a wrong one, is closed without an answer:
// it may be anybody who pretends to be a proxy. Loop thread. Owns itself: it deletes itself when gone. In
// loop.proxied; its timer runs. Its socket is polled edge-triggered, for bytes that are only looked at would
// be told for ever.
#pragma once

#include <cstdint>
#include <string_view>

#include "net/client_address.h"
#include "net/door.h"
#include "net/loop_state.h"
#include "net/places.h"
#include "net/poller.h"

namespace tickwire {

class ProxiedConnection final : public Pollee, public LoopTimer {
 public:
  // Takes ownership of an accepted, non-blocking socket, also where it refuses it.
  static void adopt(LoopState& loop, int socket, const Entrance& entrance);
  ~ProxiedConnection() override;
  ProxiedConnection(const ProxiedConnection&) = delete;
  ProxiedConnection& operator=(const ProxiedConnection&) = delete;

  void on_ready(std::uint32_t events) override;
  void on_due() override;
  void on_fault() override { delete this; }

 private:
  ProxiedConnection(LoopState& loop, int socket, const Entrance& entrance, const ClientAddress& peer);
  void refuse(std::string_view why);
  // Hands the socket on, without the first `size` bytes that wait in it.
  void go_on(std::size_t size, const ClientAddress& client);

  LoopState& loop_;
  int socket_;
  const Entrance entrance_;
  const ClientAddress peer_;
  Places places_;  // of no address, since the client is unknown
};

}  // namespace tickwire
