// Poller: the one place where a loop waits: an epoll of all descriptors that the loop serves, whoever reads
// them.
//
// One loop's thread, from the first wait() on; before that the thread that opens the loop. Owns no descriptor
// but its own; each is removed before it is closed, or forgotten after that. Cost: a wait() costs what is
// ready, never what is there. Invariant: nobody is told of what was ready before its descriptor was added, so
// a descriptor may be closed, and its number used again, while others of the same wait() are told.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/error.h"

namespace tickwire {

// How long those who are ready are told before timers and turns have their turn, so that updates do not wait
// behind the commands of many clients.
inline constexpr std::int64_t kTellUsMax = 2'000;
inline constexpr int kReadyPerLookMax = 64;

class Pollee {
 public:
  virtual ~Pollee() = default;
  // EPOLLIN, EPOLLOUT, EPOLLHUP, EPOLLERR. May remove itself and any other.
  virtual void on_ready(std::uint32_t events) = 0;
  // An exception came out of on_ready(), and it is still polled: ends what is in doubt. May end itself.
  virtual void on_fault() {}
};

class Poller {
 public:
  Poller() = default;
  ~Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  // kInternal when the process has no descriptor left.
  Status open();
  // Nothing is polled any more. The loop's thread has ended.
  void close();
  // Level-triggered unless `events` holds EPOLLET; hang-ups and errors are told always. `pollee` stays until
  // remove(). False: the kernel has no memory for it, or `fd` is none that can be polled.
  bool add(int fd, Pollee& pollee, std::uint32_t events);
  // `fd` was added. Makes no system call where nothing changes.
  void change(int fd, std::uint32_t events);
  // Does nothing where `fd` is not polled.
  void remove(int fd);
  // As remove(), for one that was closed: its number may be another loop's by now. False: it was not polled.
  bool forget(int fd);
  // Has the next wait() return at once, and tell of EPOLLIN whoever `fd` is polled for, whatever epoll says:
  // something was read already, and is still to be looked at.
  void again(int fd);
  // Waits until somebody is ready, at most `wait_us`, and tells those who are, in their order, until they
  // have taken kTellUsMax; returns how many were told. The others are told by the next calls, which do not
  // wait.
  int wait(std::int64_t wait_us);

 private:
  struct Entry {
    Pollee* pollee = nullptr;  // null: not polled
    std::uint32_t events = 0;
    std::uint32_t generation : 31 = 0;  // counts what was added under this number
    std::uint32_t again : 1 = 0;        // it stands in again_
  };

  [[nodiscard]] bool is_of(const epoll_event& event) const;
  // Fills ready_.
  void look(std::int64_t wait_us);
  void tell(const epoll_event& event, std::uint32_t events);
  bool control(int operation, int fd);
  int wait_for_events(std::int64_t wait_us);

  int epoll_ = -1;
  bool has_fine_waits_ = true;  // epoll_pwait2 is there
  std::vector<Entry> entries_;  // by descriptor
  std::vector<epoll_event> again_;
  // Who is to be told: first the ones that epoll found, then the ones that asked.
  std::array<epoll_event, std::size_t{2} * kReadyPerLookMax> ready_;
  std::size_t found_ = 0;  // by epoll
  std::size_t count_ = 0;
  std::size_t told_ = 0;
};

}  // namespace tickwire
