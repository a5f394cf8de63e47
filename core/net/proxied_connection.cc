#include "net/proxied_connection.h"

#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "net/http_connection.h"
#include "net/proxy_protocol.h"
#include "net/socket_address.h"

namespace tickwire {
namespace {

constexpr std::int64_t kWarningUs = 60'000'000;

// Once a minute, so that a scanner does not fill the log, and a proxy that is set up wrongly shows.
void warn(LoopState& loop, const ClientAddress& peer, std::string_view why) {
  const std::int64_t now = loop.clock.steady_us();
  if (loop.preamble_warned_us != 0 && now - loop.preamble_warned_us < kWarningUs) return;
  loop.preamble_warned_us = now;
  spdlog::warn("PROXY protocol: a connection of {} was closed: {}", peer.text(), why);
}

}  // namespace

void ProxiedConnection::adopt(LoopState& loop, int socket, const Entrance& entrance) {
  auto* const connection = new ProxiedConnection(loop, socket, entrance, peer_of(socket));
  if (!connection->peer_.endpoint) {  // gone already, as a proxy's check whether we live may be
    delete connection;
    return;
  }
  if (!loop.config.proxies.takes_preamble_of(connection->peer_)) {
    return connection->refuse("it is not one of server.trusted_proxies");
  }
  const auto limit = take_places(loop, entrance.door, PeerAddress{}, connection->places_);
  if (limit) loop.count(*limit);
  if (limit || !loop.poller.add(socket, *connection, EPOLLIN | EPOLLRDHUP | EPOLLET)) delete connection;
}

ProxiedConnection::ProxiedConnection(LoopState& loop, int socket, const Entrance& entrance,
                                     const ClientAddress& peer)
    : loop_(loop), socket_(socket), entrance_(entrance), peer_(peer) {
  loop_.proxied.insert(this);
  loop_.start_timer(*this, loop_.config.request_ms_max);
}

ProxiedConnection::~ProxiedConnection() {
  loop_.proxied.erase(this);
  if (socket_ < 0) return;
  loop_.poller.remove(socket_);
  ::close(socket_);
}

void ProxiedConnection::refuse(std::string_view why) {
  warn(loop_, peer_, why);
  delete this;
}

void ProxiedConnection::on_due() {
  loop_.count(Limit::kRequestTime);
  refuse("its preamble was not complete within limits.request_s_max");
}

void ProxiedConnection::on_ready(std::uint32_t events) {
  const Doing doing(loop_.shard.pulse(), Activity::kAccepting);
  std::array<char, kProxyPreambleBytesMax> buffer{};
  const ssize_t seen = ::recv(socket_, buffer.data(), buffer.size(), MSG_PEEK);
  if (seen < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (seen <= 0) {
    delete this;
    return;
  }
  const auto parsed = parse_proxy_preamble({buffer.data(), static_cast<std::size_t>(seen)});
  if (const auto* bad = std::get_if<BadPreamble>(&parsed)) return refuse(bad->why);
  const auto* preamble = std::get_if<ProxyPreamble>(&parsed);
  if (preamble == nullptr) {
    if ((events & EPOLLRDHUP) != 0) delete this;  // the rest will never come
    return;
  }
  go_on(preamble->size, preamble->client ? ClientAddress{preamble->client, true} : peer_);
}

void ProxiedConnection::go_on(std::size_t size, const ClientAddress& client) {
  std::array<char, kProxyPreambleBytesMax> taken{};
  if (::recv(socket_, taken.data(), size, 0) != static_cast<ssize_t>(size)) {
    delete this;
    return;
  }
  loop_.poller.remove(socket_);
  LoopState& loop = loop_;
  const int socket = std::exchange(socket_, -1);
  const Entrance entrance = entrance_;
  const ClientAddress whom = client;  // of this, which goes
  delete this;
  HttpConnection::adopt(loop, socket, entrance, whom);
}

}  // namespace tickwire
