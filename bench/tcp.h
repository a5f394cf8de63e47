// The little of TCP and epoll that the floor and the load client need. Linux; every failure ends the program.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <span>
#include <string>
#include <string_view>

#include "console.h"

namespace tickwire::bench {

inline void check(bool good, const char* what) {
  if (!good) fail(std::string(what) + ": " + std::strerror(errno));
}

// 127.a.b.c, so that one machine has as many client ports as it likes.
inline sockaddr_in loopback(std::uint32_t host, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(127U << 24U | host);
  address.sin_port = htons(port);
  return address;
}

// Addresses to connect from: a new one for every so many connections, because each has 28,000 ports. They
// differ from run to run, so that ports of the last run that linger are not in the way.
class SourceHosts {
 public:
  [[nodiscard]] std::uint32_t host(std::uint64_t connection) const {
    return first_ + static_cast<std::uint32_t>(connection / kConnectionsEach % kHosts);
  }

 private:
  static constexpr std::uint32_t kConnectionsEach = 8000;
  static constexpr std::uint32_t kHosts = 254;
  std::uint32_t first_ = (static_cast<std::uint32_t>(::getpid()) % 60'000 << 8U) + 1;
};

inline int new_socket() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  check(fd >= 0, "socket");
  const int on = 1;
  check(::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0, "TCP_NODELAY");
  return fd;
}

inline const sockaddr* generic(const sockaddr_in& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

class Poll {
 public:
  Poll() : fd_(::epoll_create1(EPOLL_CLOEXEC)) { check(fd_ >= 0, "epoll_create1"); }
  ~Poll() { ::close(fd_); }
  Poll(const Poll&) = delete;
  Poll& operator=(const Poll&) = delete;

  void add(int fd, std::uint32_t events, std::uint64_t data) { control(EPOLL_CTL_ADD, fd, events, data); }
  void change(int fd, std::uint32_t events, std::uint64_t data) { control(EPOLL_CTL_MOD, fd, events, data); }
  // Microseconds; < 0: for ever.
  std::size_t wait(std::span<epoll_event> events, std::int64_t wait_us) {
    timespec time{};
    time.tv_sec = wait_us / 1'000'000;
    time.tv_nsec = wait_us % 1'000'000 * 1000;
    const int count = ::epoll_pwait2(fd_, events.data(), static_cast<int>(events.size()),
                                     wait_us < 0 ? nullptr : &time, nullptr);
    check(count >= 0 || errno == EINTR, "epoll_pwait2");
    return count < 0 ? 0 : static_cast<std::size_t>(count);
  }

 private:
  void control(int what, int fd, std::uint32_t events, std::uint64_t data) {
    epoll_event event{};
    event.events = events;
    event.data.u64 = data;
    check(::epoll_ctl(fd_, what, fd, &event) == 0, "epoll_ctl");
  }
  int fd_;
};

// How much the kernel took; < 0: the connection is gone.
inline ssize_t send_some(int fd, std::string_view bytes) {
  const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  return sent < 0 && errno == EAGAIN ? 0 : sent;
}

}  // namespace tickwire::bench
