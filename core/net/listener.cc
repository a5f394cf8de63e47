#include "net/listener.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "net/admin_socket.h"
#include "net/http_connection.h"
#include "net/socket_address.h"

namespace tickwire {
namespace {

bool is_shortage(int failed) {
  return failed == EMFILE || failed == ENFILE || failed == ENOBUFS || failed == ENOMEM;
}

}  // namespace

Status Listener::open(bool alone) {
  const NetConfig& config = loop_.config;
  const auto socket = open_listener(config.host, config.port, config.backlog, alone);
  if (!socket) return socket.error();
  port_ = bound_port(*socket);
  return listen_on(*socket);
}

Status Listener::listen_on(int socket) {
  socket_ = socket;
  watched_ = context_.watch(socket_, *this);
  if (watched_ == nullptr) return Error{ErrorCode::kInternal, "libwebsockets does not take the listener", ""};
  return ok_status();
}

void Listener::close() {
  if (watched_ == nullptr) return;
  LwsContext::unwatch(watched_);
  watched_ = nullptr;
  paused_until_us_ = -1;
}

void Listener::on_readable() {
  const Doing doing(loop_.shard.pulse(), Activity::kAccepting);
  for (int i = 0; i < kAcceptsPerTurnMax; ++i) {
    const int client = ::accept4(socket_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (client < 0) {
      if (is_shortage(errno)) pause(errno);
      return;  // or nobody waits, or the one who did has gone
    }
    if (client >= context_.descriptors_max()) {
      ::close(client);
      return pause(EMFILE);
    }
    adopt(client);
    reported_ = false;
  }
}

void Listener::adopt(int client) {
  if (door_ == Door::kAdminSocket) {
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
  HttpConnection::adopt(loop_, client, door_);
}

void Listener::pause(int failed) {
  LwsContext::pause(watched_, true);
  paused_until_us_ = loop_.clock.steady_us() + std::int64_t{loop_.config.accept_pause_ms} * 1000;
  if (std::exchange(reported_, true)) return;
  spdlog::warn("no more connections for now: {}", std::generic_category().message(failed));
}

std::int64_t Listener::resume(std::int64_t now_us) {
  if (paused_until_us_ >= 0 && now_us >= paused_until_us_) {
    paused_until_us_ = -1;
    LwsContext::pause(watched_, false);
  }
  return paused_until_us_;
}

}  // namespace tickwire
