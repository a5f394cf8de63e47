// Poller: an epoll of the sockets that libwebsockets does not know. Its own descriptor is readable when one
// of them is ready, so a loop watches that one.
//
// One loop's thread, from the first add() on. Owns no socket; each is removed before it is closed.
// Invariant: what is told in on_ready() removes no socket but its own.
#pragma once

#include <sys/epoll.h>

#include <cstdint>

namespace tickwire {

class Pollee {
 public:
  virtual ~Pollee() = default;
  // EPOLLIN, EPOLLOUT, EPOLLHUP, EPOLLERR. May end itself.
  virtual void on_ready(std::uint32_t events) = 0;
};

class Poller {
 public:
  Poller() = default;
  ~Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  // The descriptor to watch, or -1.
  int open();
  // Level-triggered; hang-ups and errors are told always. False: no memory for it.
  bool add(int socket, Pollee& pollee, std::uint32_t events) const;
  void change(int socket, Pollee& pollee, std::uint32_t events) const;
  void remove(int socket) const;
  // Tells who is ready, a bounded number of them; returns how many.
  int run() const;

 private:
  int epoll_ = -1;
};

}  // namespace tickwire
