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

struct HostPort {
  std::string host;
  std::uint16_t port = 0;
};

HostPort host_port(const sockaddr_storage& address, socklen_t size) {
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> port{};
  if (::getnameinfo(reinterpret_cast<const sockaddr*>(&address), size, host.data(), host.size(), port.data(),
                    port.size(), NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return {};
  }
  return {host.data(), static_cast<std::uint16_t>(std::stoi(port.data()))};
}

}  // namespace

std::string address_text(const std::string& host, std::uint16_t port) {
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port)
                                             : fmt::format("[{}]:{}", host, port);
}

std::string peer_text(int socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getpeername(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) return "unknown";
  const HostPort peer = host_port(address, size);
  return address_text(peer.host, peer.port);
}

PeerAddress peer_address(const sockaddr_storage& address) {
  const auto of_ipv4 = [](std::uint32_t ipv4) {
    return ipv4 == INADDR_LOOPBACK ? PeerAddress{} : PeerAddress::of_ipv4(ipv4);
  };
  if (address.ss_family == AF_INET) {
    return of_ipv4(ntohl(reinterpret_cast<const sockaddr_in&>(address).sin_addr.s_addr));
  }
  if (address.ss_family != AF_INET6) return {};
  const in6_addr& ipv6 = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
  const auto number = [&ipv6](std::size_t first, std::size_t size) {
    std::uint64_t value = 0;
    for (std::size_t i = first; i < first + size; ++i) value = value << 8U | ipv6.s6_addr[i];
    return value;
  };
  if (IN6_IS_ADDR_V4MAPPED(&ipv6)) return of_ipv4(static_cast<std::uint32_t>(number(12, 4)));
  return PeerAddress::of_ipv6_network(number(0, 8));
}

PeerAddress peer_address(int socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getpeername(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) return {};
  return peer_address(address);
}

std::uint16_t bound_port(int socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  return host_port(address, size).port;
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
