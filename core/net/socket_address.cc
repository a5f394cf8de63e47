#include "net/socket_address.h"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <system_error>

namespace tickwire {
namespace {

struct AddrinfoFree {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};
using AddrinfoList = std::unique_ptr<addrinfo, AddrinfoFree>;

struct Wanted {
  const std::string& host;
  std::uint16_t port;
  std::string_view key;  // the setting that says so
};

Error listen_error(const Wanted& wanted, const std::string& why) {
  return {ErrorCode::kListen,
          fmt::format("{}: {} {}", wanted.key, address_text(wanted.host, wanted.port), why),
          std::string(wanted.key)};
}

Result<AddrinfoList> look_up(const Wanted& wanted) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int failed = ::getaddrinfo(wanted.host.c_str(), std::to_string(wanted.port).c_str(), &hints, &found);
  if (failed != 0) {
    return listen_error(wanted, fmt::format("is no address of this machine: {}", ::gai_strerror(failed)));
  }
  return AddrinfoList(found);
}

enum class Sharing : std::uint8_t { kAlone, kShared };

// A bound socket, or -1 with errno.
int try_bind(const addrinfo& address, Sharing sharing) {
  const int fd = ::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  const int on = 1;
  const int shared = sharing == Sharing::kShared ? 1 : 0;
  // Without SO_REUSEADDR a restart would wait for the last connections' TIME_WAIT.
  if (::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
      ::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &shared, sizeof shared) == 0 &&
      ::bind(fd, address.ai_addr, address.ai_addrlen) == 0) {
    return fd;
  }
  const int failed = errno;
  ::close(fd);
  errno = failed;
  return -1;
}

// A listening socket, or -1 with errno.
int try_listen(const addrinfo& address, int backlog, bool alone) {
  if (alone) {  // bound without SO_REUSEPORT, a socket tells whether anybody else is there
    const int probe = try_bind(address, Sharing::kAlone);
    if (probe < 0) return -1;
    ::close(probe);
  }
  const int fd = try_bind(address, Sharing::kShared);
  if (fd < 0 || ::listen(fd, backlog) == 0) return fd;
  const int failed = errno;
  ::close(fd);
  errno = failed;
  return -1;
}

std::string why_not(int failed) {
  switch (failed) {
    case EADDRINUSE:
      return "is in use by another program; name another port (port 0: any free one)";
    case EADDRNOTAVAIL:
      return "is no address of this machine";
    case EACCES:
      return "needs a right that this process does not have";
    default:
      return "cannot be listened on: " + std::generic_category().message(failed);
  }
}

// Nothing: no address of the internet.
std::optional<Endpoint> endpoint_of(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    const auto& ipv4 = reinterpret_cast<const sockaddr_in&>(address);
    std::array<std::uint8_t, 4> bytes{};
    std::memcpy(bytes.data(), &ipv4.sin_addr, bytes.size());
    return Endpoint{IpAddress::of_ipv4(bytes), ntohs(ipv4.sin_port)};
  }
  if (address.ss_family != AF_INET6) return std::nullopt;
  const auto& ipv6 = reinterpret_cast<const sockaddr_in6&>(address);
  std::array<std::uint8_t, 16> bytes{};
  std::memcpy(bytes.data(), &ipv6.sin6_addr, bytes.size());
  return Endpoint{IpAddress::of_ipv6(bytes), ntohs(ipv6.sin6_port)};
}

std::optional<Endpoint> bound_endpoint(int socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) return std::nullopt;
  return endpoint_of(address);
}

}  // namespace

ClientAddress client_at(const sockaddr_storage& address) {
  return {endpoint_of(address), false};
}

ClientAddress peer_of(int socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getpeername(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) return {};
  return client_at(address);
}

std::uint16_t bound_port(int socket) {
  const auto bound = bound_endpoint(socket);
  return bound ? bound->port : std::uint16_t{0};
}

bool is_bound_to_loopback(int socket) {
  const auto bound = bound_endpoint(socket);
  return bound && bound->address.is_loopback();
}

Result<int> open_listener(const std::string& host, std::uint16_t port, int backlog, bool alone,
                          std::string_view key) {
  const Wanted wanted{host, port, key};
  const auto addresses = look_up(wanted);
  if (!addresses) return addresses.error();
  int failed = EADDRNOTAVAIL;
  for (const addrinfo* address = addresses->get(); address != nullptr; address = address->ai_next) {
    const int fd = try_listen(*address, backlog, alone);
    if (fd >= 0) return fd;
    failed = errno;
  }
  return listen_error(wanted, why_not(failed));
}

}  // namespace tickwire
