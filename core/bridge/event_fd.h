// EventFd: a Linux eventfd by which one thread makes another's event loop look, without ever waiting.
//
// signal() and clear() from any thread; open() before others may signal through it. Owns the descriptor.
// Until open() succeeded both do nothing.
#pragma once

#include "base/error.h"

namespace tickwire {

class EventFd {
 public:
  EventFd() = default;
  ~EventFd();
  EventFd(const EventFd&) = delete;
  EventFd& operator=(const EventFd&) = delete;

  // The descriptor, made at the first call. kInternal when the process has none left.
  Result<int> open();
  void signal() const;  // readable from now on
  void clear() const;   // until the next signal

 private:
  int fd_ = -1;
};

}  // namespace tickwire
