#include "net/listener.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "net/admin_socket.h"
#include "net/http_connection.h"
#include "net/proxied_connection.h"
#include "net/socket_address.h"

namespace tickwire {
namespace {

bool is_shortage(int failed) {
  return failed == EMFILE || failed == ENFILE || failed == ENOBUFS || failed == ENOMEM;
}

}  // namespace

Status Listener::open(const ListenAddress& address, bool alone) {
  const auto socket = open_listener(address.host, address.port, loop_.config.backlog, alone);
  if (!socket) return socket.error();
  port_ = bound_port(*socket);
  entrance_.loopback = is_bound_to_loopback(*socket);
  return listen_on(*socket);
}

Status Listener::listen_on(int socket) {
  socket_ = socket;
  if (loop_.poller.add(socket_, *this, EPOLLIN)) return ok_status();
  ::close(std::exchange(socket_, -1));
  return Error{ErrorCode::kInternal, "a listening socket cannot be polled", ""};
}

void Listener::close() {
  if (socket_ < 0) return;
  Timer::stop();
  loop_.poller.remove(socket_);
  ::close(std::exchange(socket_, -1));
}

void Listener::on_ready(std::uint32_t /*events*/) {
  const Doing doing(loop_.shard.pulse(), Activity::kAccepting);
  const int most = entrance_.transport == Transport::kTls ? kTlsAcceptsPerTurnMax : kAcceptsPerTurnMax;
  for (int i = 0; i < most; ++i) {
    const int client = ::accept4(socket_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (client < 0) {
      if (is_shortage(errno)) pause(errno);
      return;  // or nobody waits, or the one who did has gone
    }
    if (client >= loop_.context.descriptors_max()) {
      ::close(client);
      return pause(EMFILE);
    }
    adopt(client);
  }
}

void Listener::adopt(int client) {
  if (entrance_.door == Door::kAdminSocket) {
    if (!is_own_peer(client)) {
      ::close(client);
      return;
    }
  } else {
    const int on = 1;
    ::setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const int unsent = loop_.config.unsent_bytes_max;
    ::setsockopt(client, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent);
  }
  if (entrance_.proxy == ProxyProtocol::kRequired) return ProxiedConnection::adopt(loop_, client, entrance_);
  HttpConnection::adopt(loop_, client, entrance_, peer_of(client));
}

void Listener::pause(int failed) {
  loop_.shard.counters().count(RefusedFor::kDescriptors);
  loop_.poller.change(socket_, 0);
  loop_.start_timer(*this, loop_.config.accept_pause_ms);
  const std::int64_t now_us = loop_.clock.steady_us();
  if (now_us < next_report_us_) return;
  next_report_us_ = now_us + kShortageReportUs;
  spdlog::warn("no more connections for now: {}", std::generic_category().message(failed));
}

void Listener::on_due() {
  loop_.poller.change(socket_, EPOLLIN);
}

}  // namespace tickwire
